#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "daemon/commands/commands.h"
#include "tests/daemon/server/event_table.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class CheckServerTest : public EventTableTest {
 protected:
  std::string Check() {
    testing::internal::CaptureStdout();
    result_ = CheckCommand(config_, line_);
    return testing::internal::GetCapturedStdout();
  }
  void Store(binlog::Position position) {
    std::filesystem::create_directory(config_.relay.state_directory);
    Checkpoint checkpoint;
    checkpoint.relay = "shop";
    checkpoint.tables = {"daemon_test.outbox"};
    checkpoint.server_uuid = Value("SELECT @@server_uuid");
    checkpoint.position = std::move(position);
    ASSERT_TRUE(CheckpointFile(config_.relay.state_directory, "shop").Store(checkpoint));
  }

  CommandLine line_;
  Result<void> result_;
};

TEST_F(CheckServerTest, EachHostOfTheListIsLookedAt) {
  config_.mysql.socket.clear();
  config_.mysql.port = binlog::TcpServerOptions().port;
  config_.mysql.hosts = {"127.0.0.1", "127.0.0.1:1"};
  EXPECT_THAT(Check(),
              AllOf(HasSubstr("ok       host 127.0.0.1 "), HasSubstr("warning  host 127.0.0.1:1 "),
                    HasSubstr("after a failover the relay could not read from it")));
  EXPECT_TRUE(result_);
}

TEST_F(CheckServerTest, AllGoodIsReadyToRun) {
  const std::string printed = Check();
  EXPECT_TRUE(result_) << printed;
  EXPECT_THAT(printed,
              AllOf(HasSubstr("can be read from the start on\n"),
                    EndsWith("\nrelay shop is ready to run\n"), Not(HasSubstr("PROBLEM"))));
}

TEST_F(CheckServerTest, ACheckpointIsTriedAtTheServer) {
  Store({.gtids = binlog::GtidSet::Parse(Executed()).value(), .file = {}, .offset = 0});
  EXPECT_THAT(Check(), HasSubstr("can be read behind the checkpoint\n"));
  EXPECT_TRUE(result_);
}

TEST_F(CheckServerTest, ACheckpointOfAnotherHistoryIsAProblem) {
  Store({.gtids = binlog::GtidSet::Parse("33333333-3333-3333-3333-333333333333:1-9").value(),
         .file = {},
         .offset = 0});
  EXPECT_THAT(Check(), HasSubstr("PROBLEM  binary log"));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kDiverged);
}

TEST_F(CheckServerTest, WhatIsMissingStandsThereTogether) {
  UseNewAccount();
  const std::string printed = Check();
  EXPECT_THAT(printed, AllOf(HasSubstr("-> GRANT REPLICATION SLAVE"),
                             HasSubstr("GRANT SELECT ON `daemon_test`.`outbox`"),
                             Not(HasSubstr("ready to run"))));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kDenied);
}

TEST_F(CheckServerTest, WithAProblemTheLogIsNotTried) {
  Run("DROP TABLE outbox");
  const std::string printed = Check();
  EXPECT_THAT(printed, AllOf(HasSubstr("PROBLEM"), HasSubstr("daemon_test.outbox"),
                             Not(HasSubstr("binary log  "))));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kConfiguration);
}

TEST_F(CheckServerTest, WithoutAStartThereIsNoPlaceToTry) {
  config_.delivery.start = {};
  EXPECT_THAT(Check(), Not(HasSubstr("can be read")));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kNoStart);
  EXPECT_EQ(result_.error().ToText(), "1 problem to mend before relay shop can run");
}

}  // namespace
}  // namespace outboxd
