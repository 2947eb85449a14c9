#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/commands/commands.h"
#include "tests/daemon/server/event_table.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class PositionServerTest : public EventTableTest {
 protected:
  // `outboxd position set PLACE`; its exit code.
  ExitCode Set(const std::string& place) { return Position({"set", place}); }
  ExitCode Position(std::vector<std::string> words) {
    CommandLine line;
    line.debezium = words[0] == "import";
    line.words = std::move(words);
    testing::internal::CaptureStdout();
    const auto done = PositionCommand(config_, line);
    printed_ = testing::internal::GetCapturedStdout();
    text_ = done ? "" : done.error().ToText();
    return done ? ExitCode::kOk : done.error().kind;
  }
  bool HasFormer() const { return std::filesystem::exists(directory_ / "state/checkpoint.former"); }

  std::string printed_, text_;
};

TEST_F(PositionServerTest, NowIsBehindEverythingAndIsShown) {
  Insert("old");
  EXPECT_EQ(Set("now"), ExitCode::kOk) << text_;
  EXPECT_EQ(StoredGtids(), Executed());
  EXPECT_THAT(printed_, AllOf(StartsWith("relay         shop\n"),
                              HasSubstr("\ngtids         " + Executed() + "\n")));
  EXPECT_FALSE(HasFormer()) << "there was none";
}

TEST_F(PositionServerTest, TheFormerOneStaysBesideIt) {
  ASSERT_EQ(Set("now"), ExitCode::kOk) << text_;
  const std::string former = directory_.Read("state/checkpoint");
  Insert("e1");
  ASSERT_EQ(Set("now"), ExitCode::kOk) << text_;
  EXPECT_EQ(directory_.Read("state/checkpoint.former"), former);
  EXPECT_THAT(printed_, AllOf(StartsWith("the former checkpoint stands in "),
                              HasSubstr("\nthe next run will skip 1 transaction: ")));
}

TEST_F(PositionServerTest, ADamagedOneIsReplacedAndStaysBesideIt) {
  std::filesystem::create_directory(config_.relay.state_directory);
  directory_.Write("state/checkpoint", "junk");
  EXPECT_EQ(Set("now"), ExitCode::kOk) << text_;
  EXPECT_EQ(directory_.Read("state/checkpoint.former"), "junk");
  EXPECT_EQ(StoredGtids(), Executed());
}

TEST_F(PositionServerTest, TablePublishesTheRowsFirst) {
  EXPECT_EQ(Set("table"), ExitCode::kOk) << text_;
  const auto read = Stored().read;
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tables.at(0).table_name, "outbox");
  EXPECT_THAT(printed_, HasSubstr("\ntable read    not begun\n  daemon_test.outbox  not begun\n"));
}

TEST_F(PositionServerTest, GtidsThatTheServerHasAreAPlace) {
  const std::string before = Executed();
  Insert("e1");
  ASSERT_EQ(Set("now"), ExitCode::kOk) << text_;
  EXPECT_EQ(Set("gtid:" + before), ExitCode::kOk) << text_;
  EXPECT_EQ(StoredGtids(), before);
  EXPECT_THAT(printed_, HasSubstr("the next run will publish 1 transaction again: "));
}

TEST_F(PositionServerTest, GtidsThatItNeverHadAreNone) {
  ASSERT_EQ(Set("now"), ExitCode::kOk) << text_;
  const std::string before = StoredGtids();
  EXPECT_EQ(Set("gtid:33333333-3333-3333-3333-333333333333:1-9"), ExitCode::kDiverged) << text_;
  EXPECT_EQ(StoredGtids(), before);
  EXPECT_FALSE(HasFormer());
}

TEST_F(PositionServerTest, APlaceBetweenTwoTransactionsOfAFileIsOne) {
  const auto [file, offset] = EndOfLog();
  Insert("e1");
  EXPECT_EQ(Set(fmt::format("file:{}:{}", file, offset)), ExitCode::kOk) << text_;
  EXPECT_EQ(Stored().position.offset, offset);
}

TEST_F(PositionServerTest, OneInTheMiddleOfATransactionIsNone) {
  const auto [file, offset] = EndOfLog();
  Insert("e1");
  EXPECT_EQ(Set(fmt::format("file:{}:{}", file, offset + 1)), ExitCode::kUsage) << text_;
  EXPECT_FALSE(HasCheckpoint());
}

TEST_F(PositionServerTest, OneBehindTheEndOfAFileIsNone) {
  const auto [file, offset] = EndOfLog();
  EXPECT_EQ(Set(fmt::format("file:{}:{}", file, offset + 1)), ExitCode::kUsage);
  EXPECT_THAT(text_, StartsWith(fmt::format("{} has {} bytes", file, offset)));
}

TEST_F(PositionServerTest, WhatOperatorsLetPassIsForgotten) {
  std::filesystem::create_directory(config_.relay.state_directory);
  directory_.Write("state/passed", R"({"positions":["u:7:1"]})");
  EXPECT_EQ(Set("now"), ExitCode::kOk) << text_;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state/passed"));
}

TEST_F(PositionServerTest, AnImportedOffsetIsAPlaceOfThisServer) {
  const auto [file, offset] = EndOfLog();
  const std::string json =
      fmt::format(R"({{"file":"{}","pos":{},"gtids":"{}"}})", file, offset, Executed());
  const std::string gtids = Executed();
  Insert("e1");
  EXPECT_EQ(Position({"import", json}), ExitCode::kOk) << text_;
  EXPECT_EQ(StoredGtids(), gtids);
}

// What `run` would end at is no place to set.
TEST_F(PositionServerTest, AProblemOfTheServerIsToldBeforeAnythingIsReplaced) {
  ASSERT_EQ(Set("now"), ExitCode::kOk) << text_;
  Run("DROP TABLE outbox");
  EXPECT_EQ(Set("now"), ExitCode::kConfiguration);
  EXPECT_THAT(text_, HasSubstr("daemon_test.outbox"));
  EXPECT_FALSE(HasFormer());
}

}  // namespace
}  // namespace outboxd
