#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/dead_letter_log.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/service/clock.h"
#include "daemon/status/relay_status.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class StatusTest : public testing::Test {
 protected:
  StatusTest() {
    config_.relay.name = "shop";
    config_.relay.state_directory = directory_.path();
  }
  std::string Status() {
    testing::internal::CaptureStdout();
    result_ = StatusCommand(config_);
    return testing::internal::GetCapturedStdout();
  }
  std::string Alarms(std::vector<std::string> words) {
    testing::internal::CaptureStdout();
    CommandLine line;
    line.words = std::move(words);
    result_ = AlarmsCommand(config_, line);
    return testing::internal::GetCapturedStdout();
  }
  void Raise() {
    ASSERT_TRUE(AlarmLog(directory_.path())
                    .Record({.kind = "statement",
                             .position = "u:7",
                             .text = "a change",
                             .commit_us = 1'760'000'000'000'000}));
  }

  TemporaryDirectory directory_;
  Config config_;
  Result<void> result_;
};

TEST_F(StatusTest, OfARelayThatNeverRanSaysSo) {
  EXPECT_EQ(Status(),
            "process       not running\n"
            "checkpoint    none yet\n"
            "alarms        0\n");
  EXPECT_TRUE(result_.has_value());
}

TEST_F(StatusTest, ShowsTheCheckpoint) {
  Checkpoint checkpoint;
  checkpoint.relay = "shop";
  checkpoint.position = {.gtids = {}, .file = "binlog.000007", .offset = 157};
  ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(checkpoint));
  EXPECT_THAT(Status(),
              AllOf(HasSubstr("file, offset  binlog.000007:157\n"), Not(HasSubstr("none yet"))));
}

TEST_F(StatusTest, ShowsTheEventThatIsHeld) {
  ASSERT_TRUE(StateDirectory(directory_.path())
                  .WriteHeld({.position = "u:7:1",
                              .id = "evt-1",
                              .table = "shop.outbox",
                              .topic = "t",
                              .reason = "topic is missing",
                              .hint = "create it",
                              .since_us = 1'760'000'000'000'000}));
  EXPECT_THAT(Status(), HasSubstr("held          u:7:1 (id evt-1) of table shop.outbox since "
                                  "2025-10-09 08:53:20 UTC: topic is missing HINT: create it\n"));
}

TEST_F(StatusTest, SaysWhatARunningRelayIsDoing) {
  StateDirectory running(directory_.path());
  ASSERT_TRUE(running.Lock());
  RelayStatus status;
  status.written_at_us = SystemClock().WallMicroseconds() - 3'500'000;
  ASSERT_TRUE(WriteStatus(directory_.path(), status));
  EXPECT_THAT(Status(), AllOf(HasSubstr("doing         preparing (as of 3 s ago)\n"),
                              Not(HasSubstr("ended"))));
}

// The hold is recorded at once, what the relay is doing every few seconds.
TEST_F(StatusTest, WhatItHoldsAtSinceItSaidWhatItIsDoingCounts) {
  StateDirectory running(directory_.path());
  ASSERT_TRUE(running.Lock());
  RelayStatus status;
  status.phase = RelayStatus::Phase::kStreaming;
  status.written_at_us = SystemClock().WallMicroseconds() - 4'000'000;
  ASSERT_TRUE(WriteStatus(directory_.path(), status));
  ASSERT_TRUE(running.WriteHeld({.position = "u:7:1",
                                 .id = "evt-1",
                                 .table = "shop.outbox",
                                 .topic = "t",
                                 .reason = "topic is missing",
                                 .since_us = status.written_at_us + 2'500'000}));
  EXPECT_THAT(Status(), AllOf(HasSubstr("doing         holding at event u:7:1 (as of 1 s ago)\n"),
                              Not(HasSubstr("streaming"))));
}

TEST_F(StatusTest, SaysHowAndWhyTheLastRunEnded) {
  RelayStatus status;
  status.written_at_us = 1'760'000'000'000'000;
  ASSERT_TRUE(WriteStatus(directory_.path(), status));
  EXPECT_THAT(Status(), HasSubstr("ended         without a word, behind 2025-10-09 08:53:20 UTC: "
                                  "killed, or the machine went down\n"));
  ASSERT_TRUE(WriteRunEnd(directory_.path(), {.at_us = 1'760'000'001'000'000,
                                              .exit_code = 82,
                                              .text = "the server stopped HINT: stop one"}));
  EXPECT_THAT(Status(), AllOf(HasSubstr("ended         2025-10-09 08:53:21 UTC with code 82: the "
                                        "server stopped HINT: stop one\n"),
                              Not(HasSubstr("doing"))));
  ASSERT_TRUE(WriteRunEnd(directory_.path(), {.at_us = 1'760'000'002'000'000}));
  EXPECT_THAT(Status(),
              HasSubstr("ended         2025-10-09 08:53:22 UTC with code 0: it was stopped\n"));
}

TEST_F(StatusTest, ShowsHowManyDeadLettersThereWereAndTheLast) {
  ASSERT_TRUE(DeadLetterLog(directory_.path())
                  .Count({.position = "u:7:1",
                          .id = "evt-1",
                          .table = "shop.outbox",
                          .topic = "t",
                          .reason = "topic is missing",
                          .hint = "create it",
                          .since_us = 1'760'000'000'000'000}));
  EXPECT_THAT(Status(),
              HasSubstr("dead letters  1, the last one u:7:1 (id evt-1) of table shop.outbox at "
                        "2025-10-09 08:53:20 UTC: topic is missing HINT: create it\n"));
}

TEST_F(StatusTest, ShowsStandingAlarmsUntilTheyAreAcknowledged) {
  Raise();
  EXPECT_THAT(Status(), HasSubstr("alarms        1 HINT: 'outboxd alarms acknowledge'"));
  EXPECT_THAT(Alarms({}), HasSubstr("statement  u:7  2025-10-09 08:53:20 UTC  a change\n"));
  EXPECT_EQ(Alarms({"acknowledge"}), "1 alarms acknowledged\n");
  EXPECT_EQ(Alarms({}), "");
  EXPECT_THAT(Status(), HasSubstr("alarms        0\n"));
}

TEST_F(StatusTest, AlarmsKnowsNoOtherWord) {
  Raise();
  for (const auto& words : {std::vector<std::string>{"acknowledged"}, {"acknowledge", "now"}}) {
    Alarms(words);
    ASSERT_FALSE(result_);
    EXPECT_EQ(result_.error().kind, ExitCode::kUsage);
  }
  EXPECT_THAT(Status(), HasSubstr("alarms        1 "));
}

TEST_F(StatusTest, ADamagedCheckpointIsReported) {
  directory_.Write("checkpoint", "junk");
  Status();
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kCheckpoint);
}

}  // namespace
}  // namespace outboxd
