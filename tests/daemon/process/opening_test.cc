#include "daemon/process/opening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/checkpoint/checkpoint_format.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/local_ports.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Not;
using testing::SizeIs;

// Of a relay whose server nobody has started.
class OpeningTest : public testing::Test {
 protected:
  OpeningTest() {
    config_.relay.name = "shop";
    config_.mysql.port = closed_.number();
    config_.outboxes.emplace_back().tables = {"shop.outbox"};
  }

  static Checkpoint At(std::uint64_t offset) {
    Checkpoint checkpoint;
    checkpoint.relay = "shop";
    checkpoint.tables = {"shop.outbox"};
    checkpoint.position = {.gtids = {}, .file = "binlog.000007", .offset = offset};
    return checkpoint;
  }
  Opening& Begin(std::optional<Checkpoint> stored = {}) {
    return opening_.emplace(Opening::Parts{.config = config_,
                                           .sink = owner_,
                                           .liveness = liveness_,
                                           .outages = outages_,
                                           .interrupter = interrupter_,
                                           .clock = clock_,
                                           .waits_for_server = waits_},
                            std::move(stored));
  }
  // As soon as the log says `what` for the time of that number.
  void StopWhenLogged(const std::string& what, int times = 1) {
    log_.At(what, [this, times, seen = 0]() mutable {
      if (++seen == times) opening_->RequestStop();
    });
  }
  // How long it said it will wait, each time.
  std::vector<int> Pauses() const {
    constexpr std::string_view kBefore = "trying again in ";
    std::vector<int> pauses;
    const std::string text = log_.text();
    for (std::size_t at = text.find(kBefore); at != std::string::npos;
         at = text.find(kBefore, at + 1)) {
      const char* const number = text.data() + at + kBefore.size();
      std::from_chars(number, text.data() + text.size(), pauses.emplace_back());
    }
    return pauses;
  }

  const ClosedPort closed_;
  Config config_;
  bool waits_ = true;
  FakeClock clock_;
  CapturedLog log_;
  FakeSink sink_;
  Liveness liveness_{clock_};
  Outages outages_{clock_};
  SinkOwner owner_{sink_, FakeSink::kWords, liveness_, outages_, clock_};
  binlog::Interrupter interrupter_;
  std::optional<Opening> opening_;
};

TEST_F(OpeningTest, ASourceThatIsAwayIsWaitedForWithGrowingPauses) {
  Begin();
  StopWhenLogged("trying again", 3);
  ASSERT_TRUE(opening_->Run());
  EXPECT_FALSE(opening_->preparation());
  const std::vector<int> pauses = Pauses();
  ASSERT_THAT(pauses, SizeIs(3));
  EXPECT_THAT(pauses[0], AllOf(Ge(50), Le(100)));
  EXPECT_THAT(pauses[1], AllOf(Ge(100), Le(200)));
  EXPECT_THAT(pauses[2], AllOf(Ge(200), Le(400)));
}

TEST_F(OpeningTest, WhatTheSourceFailsWithIsAnOutage) {
  Begin();
  StopWhenLogged("trying again");
  ASSERT_TRUE(opening_->Run());
  ASSERT_TRUE(outages_.source());
  EXPECT_THAT(outages_.source()->reason,
              HasSubstr("mysql at 127.0.0.1:" + std::to_string(closed_.number())));
  EXPECT_FALSE(outages_.sink());
}

TEST_F(OpeningTest, ASourceThatIsAwayEndsWhatDoesNotWait) {
  waits_ = false;
  const auto ended = Begin().Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kUnreachable);
  EXPECT_THAT(Pauses(), IsEmpty());
}

TEST_F(OpeningTest, WhatAnOperatorHasToMendIsNotWaitedFor) {
  config_.outboxes.clear();
  const auto ended = Begin().Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(Pauses(), IsEmpty());
}

TEST_F(OpeningTest, NoSourceIsAskedBeforeTheSinkIsOpen) {
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "nobody there"};
  Begin();
  StopWhenLogged("trying again", 2);
  ASSERT_TRUE(opening_->Run());
  EXPECT_EQ(sink_.opened, 2);
  EXPECT_THAT(log_.text(), AllOf(HasSubstr("sink: nobody there"), Not(HasSubstr("source:"))));
  EXPECT_FALSE(outages_.source());
}

TEST_F(OpeningTest, ASinkThatComesIsFollowedByTheSource) {
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "nobody there"};
  sink_.at_open = [this] {
    if (sink_.opened == 2) sink_.open_error.reset();
  };
  Begin();
  StopWhenLogged("source: ");
  ASSERT_TRUE(opening_->Run());
  EXPECT_EQ(sink_.opened, 2);
  EXPECT_FALSE(outages_.sink());
}

TEST_F(OpeningTest, ASinkOfAnotherClusterThanTheCheckpointsEndsIt) {
  Checkpoint stored = At(4);
  stored.sink = "another";
  const auto ended = Begin(stored).Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kCheckpoint);
  EXPECT_THAT(log_.text(), Not(HasSubstr("source:")));
}

TEST_F(OpeningTest, TheStoredCheckpointIsGoneOnFrom) {
  Begin(At(4));
  StopWhenLogged("source: ");
  ASSERT_TRUE(opening_->Run());
  EXPECT_EQ(opening_->checkpoint(), At(4));
  EXPECT_FALSE(opening_->leaves_stored());
}

TEST_F(OpeningTest, WithoutOneItLeavesNothingAsItIs) {
  Begin();
  StopWhenLogged("source: ");
  ASSERT_TRUE(opening_->Run());
  EXPECT_FALSE(opening_->checkpoint());
  EXPECT_TRUE(opening_->leaves_stored()) << "what it begins with is to be stored";
}

TEST_F(OpeningTest, TheCheckpointThatTheSinkKeepsIsNearerToTheTruth) {
  sink_.keeps_checkpoints = true;
  sink_.kept = EncodeCheckpoint(At(900)).value();
  Begin(At(4));
  StopWhenLogged("source: ");
  ASSERT_TRUE(opening_->Run());
  EXPECT_EQ(opening_->checkpoint(), At(900));
  EXPECT_TRUE(opening_->leaves_stored());
}

TEST_F(OpeningTest, TheSameInBothPlacesIsTheStoredOne) {
  sink_.keeps_checkpoints = true;
  sink_.kept = EncodeCheckpoint(At(4)).value();
  Begin(At(4));
  StopWhenLogged("source: ");
  ASSERT_TRUE(opening_->Run());
  EXPECT_FALSE(opening_->leaves_stored());
}

TEST_F(OpeningTest, ADamagedCheckpointOfTheSinkEndsIt) {
  sink_.keeps_checkpoints = true;
  sink_.kept = "junk";
  const auto ended = Begin(At(4)).Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kCheckpoint);
  EXPECT_THAT(ended.error().ToText(), HasSubstr("the checkpoint that the sink keeps"));
}

TEST_F(OpeningTest, AStopThatCameBeforeEndsItBeforeTheSourceIsAsked) {
  Begin().RequestStop();
  ASSERT_TRUE(opening_->Run());
  EXPECT_FALSE(opening_->preparation());
  EXPECT_THAT(log_.text(), Not(HasSubstr("source:")));
}

// A server takes the connection, and then never says a word.
class SilentSourceTest : public OpeningTest {
 protected:
  SilentSourceTest() { config_.mysql.port = silent_.number(); }
  // Runs until it is connected, which is when `act` is called, and then stopped.
  Result<void> RunUntilConnected(const std::function<void()>& act) {
    Begin();
    const std::jthread stopper([&] {
      silent_.Accept();
      act();
      opening_->RequestStop();
    });
    return opening_->Run();
  }

  SilentPort silent_;
};

// Else it would last as long as a connect may, 10 s.
TEST_F(SilentSourceTest, AStopBreaksTheConnectOff) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(RunUntilConnected([] {}));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_THAT(Pauses(), IsEmpty());
  EXPECT_FALSE(outages_.source()) << "it may be well";
}

TEST_F(SilentSourceTest, ItMayLastAsLongAsAllHostsMayTakeTogether) {
  config_.mysql.hosts = {"127.0.0.1", "127.0.0.1"};
  Clock::TimePoint quiet_until;
  ASSERT_TRUE(RunUntilConnected([&] { quiet_until = liveness_.quiet_until(); }));
  EXPECT_EQ(quiet_until, clock_.Now() + 2 * std::chrono::seconds(30 + 600));
}

TEST_F(OpeningTest, WhileItPausesItIsNotStuck) {
  Begin();
  StopWhenLogged("trying again");
  ASSERT_TRUE(opening_->Run());
  EXPECT_EQ(liveness_.quiet_until(), clock_.Now() + milliseconds(Pauses().at(0)));
}

class CheckTablesTest : public OpeningTest {};

TEST_F(CheckTablesTest, ThoseOfTheCheckpointAreFine) { EXPECT_TRUE(CheckTables(At(4), config_)); }

TEST_F(CheckTablesTest, ATableThatIsNoLongerReadIsFine) {
  Checkpoint checkpoint = At(4);
  checkpoint.tables.emplace_back("shop.former");
  EXPECT_TRUE(CheckTables(checkpoint, config_));
}

TEST_F(CheckTablesTest, ANewOneIsNamedWithBothWaysToGoOn) {
  config_.outboxes.emplace_back().tables = {"shop.outbox", "shop.later"};
  const auto checked = CheckTables(At(4), config_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ExitCode::kCheckpoint);
  EXPECT_EQ(checked.error().ToText(),
            "event table shop.later is new to this relay: its rows before the checkpoint were not"
            " published HINT: 'outboxd position set keep' begins it at the checkpoint, 'outboxd"
            " position set table' publishes what is in the tables first");
}

}  // namespace
}  // namespace outboxd
