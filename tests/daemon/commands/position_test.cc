#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "tests/daemon/local_ports.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Of a server that nobody has started; places in the log of one are in
// tests/daemon/server/position_test.cc.
class PositionTest : public testing::Test {
 protected:
  PositionTest() {
    config_.relay.name = "shop";
    config_.relay.state_directory = directory_.path();
    config_.mysql.port = closed_.number();
    config_.outboxes.emplace_back().tables = {"shop.outbox"};
  }
  // Its exit code.
  ExitCode Position(std::vector<std::string> words, bool debezium = false) {
    CommandLine line;
    line.words = std::move(words);
    line.debezium = debezium;
    testing::internal::CaptureStdout();
    const auto done = PositionCommand(config_, line);
    printed_ = testing::internal::GetCapturedStdout();
    text_ = done ? "" : done.error().ToText();
    return done ? ExitCode::kOk : done.error().kind;
  }
  void Store() {
    Checkpoint checkpoint;
    checkpoint.relay = "shop";
    checkpoint.server_uuid = "11111111-1111-1111-1111-111111111111";
    checkpoint.sink = "a-cluster";
    checkpoint.tables = {"shop.former"};
    checkpoint.position = {.gtids = {}, .file = "binlog.000007", .offset = 157};
    ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(checkpoint));
  }
  Checkpoint Stored() const {
    const auto stored = CheckpointFile(directory_.path(), "shop").Load();
    return stored && *stored ? **stored : Checkpoint();
  }

  TemporaryDirectory directory_;
  const ClosedPort closed_;
  Config config_;
  std::string printed_, text_;
};

TEST_F(PositionTest, ShowPrintsTheCheckpoint) {
  Store();
  EXPECT_EQ(Position({"show"}), ExitCode::kOk);
  EXPECT_THAT(printed_, AllOf(StartsWith("relay         shop\n"),
                              HasSubstr("\nfile, offset  binlog.000007:157\n"),
                              HasSubstr("\nsink          a-cluster\n")));
}

TEST_F(PositionTest, ShowWithoutOneNamesWhereItWouldBe) {
  EXPECT_EQ(Position({"show"}), ExitCode::kNoStart);
  EXPECT_EQ(text_, "relay shop has no checkpoint in " + directory_.path());
}

TEST_F(PositionTest, ShowWorksBesideARunningRelay) {
  Store();
  StateDirectory running(directory_.path());
  ASSERT_TRUE(running.Lock());
  EXPECT_EQ(Position({"show"}), ExitCode::kOk);
}

TEST_F(PositionTest, KeepIsTheSamePlaceForTheTablesAndTheClusterOfNow) {
  Store();
  EXPECT_EQ(Position({"set", "keep"}), ExitCode::kOk);
  EXPECT_EQ(Stored().position.offset, 157U);
  EXPECT_EQ(Stored().server_uuid, "11111111-1111-1111-1111-111111111111");
  EXPECT_THAT(Stored().tables, ElementsAre("shop.outbox"));
  EXPECT_EQ(Stored().sink, "");
  EXPECT_THAT(printed_, StartsWith("relay         shop\nevent tables  shop.outbox\n"));
}

TEST_F(PositionTest, WithoutACheckpointThereIsNoneToKeep) {
  EXPECT_EQ(Position({"set", "keep"}), ExitCode::kNoStart);
  EXPECT_EQ(text_, "there is no checkpoint to keep");
}

TEST_F(PositionTest, ADamagedCheckpointIsNotKept) {
  directory_.Write("checkpoint", "junk");
  EXPECT_EQ(Position({"set", "keep"}), ExitCode::kCheckpoint);
  EXPECT_EQ(directory_.Read("checkpoint"), "junk");
}

TEST_F(PositionTest, WhatOperatorsLetPassIsRememberedAtTheSamePlace) {
  Store();
  directory_.Write("passed", R"({"positions":["u:7:1"]})");
  EXPECT_EQ(Position({"set", "keep"}), ExitCode::kOk);
  EXPECT_THAT(directory_.Names(), Contains("passed"));
}

TEST_F(PositionTest, WhileARelayRunsNothingIsChanged) {
  Store();
  StateDirectory running(directory_.path());
  ASSERT_TRUE(running.Lock());
  for (const char* place : {"keep", "now", "table"}) {
    EXPECT_EQ(Position({"set", place}), ExitCode::kOtherActive);
    EXPECT_THAT(text_, HasSubstr("process " + std::to_string(getpid())));
  }
  EXPECT_EQ(Position({"export", "shop"}, true), ExitCode::kOtherActive);
  EXPECT_EQ(Stored().sink, "a-cluster");
}

TEST_F(PositionTest, AServerThatIsAwayLeavesTheCheckpointAsItIs) {
  Store();
  const std::string before = directory_.Read("checkpoint");
  for (const char* place : {"now", "table", "earliest", "gtid:", "file:binlog.000001:4"}) {
    EXPECT_EQ(Position({"set", place}), ExitCode::kUnreachable) << place << ": " << text_;
  }
  EXPECT_EQ(directory_.Read("checkpoint"), before);
  EXPECT_THAT(directory_.Names(), Not(Contains("checkpoint.former")));
}

TEST_F(PositionTest, APlaceThatIsNoneIsNamedWithWhatThereIs) {
  EXPECT_EQ(Position({"set", "yesterday"}), ExitCode::kUsage);
  EXPECT_THAT(text_, StartsWith("'yesterday' is none of: table, earliest, now, gtid:SET"));
}

TEST_F(PositionTest, OtherWordsGetTheUsage) {
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{}, {"set"}, {"show", "now"}, {"keep"}, {"import", "{}"}, {"export", "shop"}}) {
    EXPECT_EQ(Position(words), ExitCode::kUsage);
    EXPECT_THAT(text_, StartsWith("usage: outboxd position show | position set PLACE"));
  }
}

TEST_F(PositionTest, ExportPrintsTheOffsetOfAConnector) {
  Store();
  EXPECT_EQ(Position({"export", "shop"}, true), ExitCode::kOk) << text_;
  EXPECT_THAT(printed_, AllOf(HasSubstr("binlog.000007"), HasSubstr("157"), HasSubstr("shop")));
}

TEST_F(PositionTest, WithoutACheckpointThereIsNoneToExport) {
  EXPECT_EQ(Position({"export", "shop"}, true), ExitCode::kNoStart);
}

TEST_F(PositionTest, WhatIsNoOffsetIsNotImported) {
  Store();
  EXPECT_EQ(Position({"import", "{}"}, true), ExitCode::kConfiguration);
  EXPECT_EQ(Stored().position.offset, 157U);
}

TEST_F(PositionTest, AnImportAsksTheServerWhetherItHasGtids) {
  EXPECT_EQ(Position({"import", R"({"file":"binlog.000001","pos":4})"}, true),
            ExitCode::kUnreachable)
      << text_;
}

}  // namespace
}  // namespace outboxd
