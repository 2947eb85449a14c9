#include "daemon/process/relay_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "daemon/status/relay_status.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/server/event_table.h"
#include "tests/daemon/service_manager.h"
#include "tests/daemon/stop_signal.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// A relay that reads a real log; the test plays the sink.
class RelayProcessServerTest : public EventTableTest {
 protected:
  void SetUp() override {
    EventTableTest::SetUp();
    config_.sink.family = FindSinkFamily("kafka");
    AcknowledgeAndStopBehind(1);
  }

  // Until the signal, which has to end it well.
  void Relay() {
    StateDirectory state(config_.relay.state_directory);
    CheckpointFile store(config_.relay.state_directory, "shop");
    ServiceNotifier notifier;
    ProcessSignals signals;
    const SystemClock clock;
    RelayProcess process({.config = config_,
                          .sink = sink_,
                          .lock = &state,
                          .store = &store,
                          .state = &state,
                          .notifier = notifier,
                          .signals = signals,
                          .clock = clock});
    const auto ended = process.Run(RelayIdentity(config_));
    EXPECT_TRUE(ended) << (ended ? "" : ended.error().ToText());
  }
  // Does `act` as soon as the log is being read for the first time.
  void WhenReading(std::function<void()> act) {
    log_.At("reading the binary log", [act = std::move(act), done = false]() mutable {
      if (!std::exchange(done, true)) act();
    });
  }
  void AcknowledgeAndStopBehind(std::size_t messages) {
    sink_.at_publish = [this, messages] {
      sink_.Acknowledge();
      if (sink_.delivered.size() == messages) stop_.Send();
    };
  }
  void LeaveUnacknowledgedAndStop() {
    sink_.at_publish = [this] { stop_.Send(); };
  }

  const StopSignal stop_;
  CapturedLog log_;
  FakeSink sink_;
};

TEST_F(RelayProcessServerTest, TheCheckpointIsBehindWhatWasDeliveredWhenItIsStopped) {
  WhenReading([this] { Insert("e1"); });
  Relay();
  EXPECT_EQ(sink_.delivered.size(), 1U);
  EXPECT_EQ(StoredGtids(), Executed());
  EXPECT_EQ(Stored().sink, "cluster");
  EXPECT_THAT(log_.text(), HasSubstr("stopped: 1 event delivered"));
}

TEST_F(RelayProcessServerTest, WhatIsStoredIsGoneOnFrom) {
  WhenReading([this] { Insert("e1"); });
  Relay();
  Insert("between");
  config_.delivery.start = {};
  AcknowledgeAndStopBehind(2);
  const CapturedLog later;
  Relay();
  EXPECT_EQ(sink_.delivered.size(), 2U);
  EXPECT_THAT(later.text(), HasSubstr("going on behind the checkpoint: GTIDs '"));
}

// Else a crash before the first acknowledgement would begin at another place.
TEST_F(RelayProcessServerTest, WhereItBeginsIsStoredBeforeAnythingIsRead) {
  const std::string begin = Executed();
  std::string stored;
  WhenReading([&, this] {
    stored = StoredGtids();
    stop_.Send();
  });
  Relay();
  EXPECT_EQ(stored, begin);
}

TEST_F(RelayProcessServerTest, ThatItBeginsAnewIsSaidWithWhatThatLeavesOut) {
  WhenReading([this] { stop_.Send(); });
  Relay();
  EXPECT_THAT(log_.text(), AllOf(HasSubstr("BEGINNING ANEW, for there is no checkpoint in " +
                                           config_.relay.state_directory),
                                 HasSubstr("what was committed before is not published")));
}

TEST_F(RelayProcessServerTest, WhatOperatorsLetPassIsForgottenWhereItBeginsAnew) {
  std::filesystem::create_directory(config_.relay.state_directory);
  directory_.Write("state/passed", R"({"positions":["u:7:1"]})");
  log_.At("reading the binary log", [this] { stop_.Send(); });
  Relay();
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state/passed"));
  directory_.Write("state/passed", R"({"positions":["u:7:1"]})");
  Relay();
  EXPECT_TRUE(std::filesystem::exists(directory_ / "state/passed"));
}

TEST_F(RelayProcessServerTest, RowsThatAreThereComeFirst) {
  Insert("old1");
  Insert("old2");
  config_.delivery.start.kind = StartChoice::Kind::kTable;
  WhenReading([this] { Insert("new"); });
  AcknowledgeAndStopBehind(3);
  Relay();
  EXPECT_EQ(sink_.delivered.size(), 3U);
  EXPECT_THAT(log_.text(), HasSubstr(", first with the rows of its tables"));
  EXPECT_FALSE(Stored().read) << "it is done";
}

TEST_F(RelayProcessServerTest, WhatIsUnderWayIsWaitedForWhenItIsStopped) {
  WhenReading([this] { Insert("e1"); });
  LeaveUnacknowledgedAndStop();
  log_.At("stopping", [this] { sink_.Acknowledge(); });
  Relay();
  EXPECT_EQ(StoredGtids(), Executed());
}

TEST_F(RelayProcessServerTest, WhatIsNotAcknowledgedInTimeComesAgain) {
  config_.relay.stop_timeout = std::chrono::milliseconds(200);
  const std::string begin = Executed();
  WhenReading([this] { Insert("e1"); });
  LeaveUnacknowledgedAndStop();
  Relay();
  EXPECT_EQ(StoredGtids(), begin);
  EXPECT_THAT(log_.text(), HasSubstr("not acknowledged: 1 event (within relay.stop-timeout, 200 "
                                     "ms); the next start publishes it again"));
  AcknowledgeAndStopBehind(1);
  Relay();
  EXPECT_EQ(StoredGtids(), Executed());
}

TEST_F(RelayProcessServerTest, WhatAStopFoundRefusedIsSaidWithTheReason) {
  WhenReading([this] { Insert("e1"); });
  LeaveUnacknowledgedAndStop();
  log_.At("stopping", [this] { sink_.Refuse("it is too large"); });
  Relay();
  EXPECT_THAT(log_.text(), HasSubstr("not acknowledged: 1 event (it is too large); the next start "
                                     "publishes it again"));
}

TEST_F(RelayProcessServerTest, TheServiceManagerHearsOfEachPhase) {
  const ServiceManager manager;
  WhenReading([this] { Insert("e1"); });
  Relay();
  const std::string heard = manager.ReceivedAll();
  EXPECT_THAT(heard, StartsWith("READY=1\nSTATUS=preparing\n"));
  EXPECT_THAT(heard, AllOf(HasSubstr("\nSTATUS=streaming: "), HasSubstr("\nSTOPPING=1\n")));
}

TEST_F(RelayProcessServerTest, ASecondOneIsRefusedWhileTheFirstReads) {
  Result<void> second;
  WhenReading([&, this] {
    second = StateDirectory(config_.relay.state_directory).Lock();
    stop_.Send();
  });
  Relay();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ExitCode::kOtherActive);
}

}  // namespace
}  // namespace outboxd
