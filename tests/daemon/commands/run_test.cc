#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include "daemon/commands/commands.h"
#include "daemon/status/relay_status.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/local_ports.h"
#include "tests/daemon/stop_signal.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Of a relay whose server nobody has started, and that prints what it would publish.
class RunTest : public testing::Test {
 protected:
  RunTest() {
    config_.relay.name = "shop";
    config_.relay.state_directory = config_.relay.spill_directory = directory_ / "state";
    config_.mysql.port = closed_.number();
    config_.outboxes.emplace_back().tables = {"shop.outbox"};
    config_.sink.family = FindSinkFamily("stdout");
    config_.delivery.start.kind = StartChoice::Kind::kNow;
  }
  // What stands in the state directory of how it ended.
  std::optional<RunEnd> End() const {
    const auto status = ReadStatus(config_.relay.state_directory);
    return status && *status ? (*status)->end : std::nullopt;
  }

  Result<void> Run() {
    return RunCommand(config_, [this] { return Result<Config>(reloaded_); });
  }

  TemporaryDirectory directory_;
  const StopSignal stop_;
  const ClosedPort closed_;
  Config config_, reloaded_;
  CapturedLog log_;
};

TEST_F(RunTest, WhileItWaitsForItsServerItBeginsAnewWithWhatIsReadAgain) {
  reloaded_ = config_;
  const ClosedPort other;
  reloaded_.mysql.port = other.number();
  reloaded_.outboxes.front().tables = {"shop.other"};
  log_.At(fmt::format("127.0.0.1:{}", closed_.number()), [this] { stop_.Send(SIGHUP); });
  log_.At(fmt::format("127.0.0.1:{}", other.number()), [this] { stop_.Send(); });
  EXPECT_TRUE(Run());
  EXPECT_THAT(log_.text(), HasSubstr("the configuration was read again"));
}

TEST_F(RunTest, AnotherNameNeedsARestart) {
  reloaded_ = config_;
  reloaded_.relay.name = "other";
  log_.At("trying again in ", [this] { stop_.Send(SIGHUP); });
  log_.At("is refused", [this] { stop_.Send(); });
  EXPECT_TRUE(Run());
  EXPECT_THAT(log_.text(), HasSubstr("[relay] or log.format has changed"));
}

TEST_F(RunTest, AServerThatIsAwayIsWaitedForUntilASignal) {
  log_.At("trying again in ", [this] { stop_.Send(); });
  EXPECT_TRUE(Run());
  EXPECT_THAT(log_.text(), HasSubstr("source: mysql at 127.0.0.1:"));
}

TEST_F(RunTest, ThatItWasStoppedStandsInTheStatus) {
  log_.At("trying again in ", [this] { stop_.Send(); });
  ASSERT_TRUE(Run());
  ASSERT_TRUE(End());
  EXPECT_EQ(End()->exit_code, 0);
  EXPECT_EQ(End()->text, "");
  EXPECT_NE(End()->at_us, 0U);
}

TEST_F(RunTest, WhyItEndedStandsInTheStatus) {
  config_.delivery.start = {};
  const auto ended = Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kNoStart);
  ASSERT_TRUE(End());
  EXPECT_EQ(End()->exit_code, 84);
  EXPECT_EQ(End()->text, ended.error().ToText());
}

TEST_F(RunTest, TheNextRunBeginsAStatusOfItsOwn) {
  StartChoice start;
  std::swap(start, config_.delivery.start);
  ASSERT_FALSE(Run());
  std::swap(start, config_.delivery.start);
  std::optional<RunEnd> while_it_runs;
  log_.At("trying again in ", [&, this, times = 0]() mutable {
    while_it_runs = End();  // It is written and tries in two threads.
    if (!while_it_runs || ++times == 5) stop_.Send();
  });
  ASSERT_TRUE(Run());
  EXPECT_FALSE(while_it_runs);
}

TEST_F(RunTest, ASecondOneIsRefusedAndTheStatusOfTheFirstStays) {
  StateDirectory first(config_.relay.state_directory);
  ASSERT_TRUE(first.Lock());
  ASSERT_TRUE(WriteStatus(first.path(), RelayStatus()));
  const auto ended = Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(static_cast<int>(ended.error().kind), 82);
  EXPECT_THAT(ended.error().ToText(), HasSubstr("process " + std::to_string(getpid())));
  EXPECT_FALSE(End());
}

TEST_F(RunTest, AStateDirectoryThatCannotBeMadeIsNamed) {
  directory_.Write("state", "a file");
  const auto ended = Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kState);
  EXPECT_THAT(ended.error().ToText(), StartsWith(directory_ / "state"));
}

TEST_F(RunTest, WhatIsWrongWithTheSinkIsToldBeforeAnythingIsMade) {
  config_.sink.family = FindSinkFamily("kafka");
  config_.sink.settings = {{"kafka", "no.such.property", "1"}};
  const auto ended = Run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kConfiguration);
  EXPECT_FALSE(std::filesystem::exists(config_.relay.state_directory));
}

}  // namespace
}  // namespace outboxd
