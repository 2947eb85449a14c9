#include "binlog/mysql_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

class MysqlLogTest : public ServerTest {
 protected:
  Position Current() { return AskForCurrentPosition(*session_).value(); }
};

TEST_F(MysqlLogTest, WhatASelectSeesIsInFrontOfTheCurrentPosition) {
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  const Position before = Current();
  Run("INSERT INTO t VALUES (1)");
  const Position behind = Current();
  EXPECT_EQ(behind.gtids.Minus(before.gtids).count(), 1U);
  EXPECT_TRUE(behind.file.empty()) << "by GTID";
}

TEST_F(MysqlLogTest, TheStatusOfTheLogIsItsEndWithTheGtidsBeforeIt) {
  const auto status = AskForLogStatus(*session_);
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_TRUE(*status);
  const auto end = AskForLogEnd(*session_);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->file, (*status)->file);
  EXPECT_EQ(end->offset, (*status)->offset);
  EXPECT_EQ(GtidSet::Parse((*status)->gtids).value(), Current().gtids);
  EXPECT_EQ((*status)->do_db + (*status)->ignore_db, "");
}

// What a log is asked for after a purge: tests/daemon/server/start_position_test.cc. Here other
// tests read from the log's beginning.
TEST_F(MysqlLogTest, TheEarliestPositionIsWhatWasPurged) {
  const auto earliest = AskForEarliestPosition(*session_);
  ASSERT_TRUE(earliest) << earliest.error().message;
  EXPECT_EQ(earliest->gtids.ToText(), *Run("SELECT @@global.gtid_purged").at(0).at(0));
  EXPECT_TRUE(earliest->gtids.IsSubsetOf(Current().gtids));
}

TEST_F(MysqlLogTest, TheFilesOfTheLogEndWithTheOneThatGrows) {
  Run("FLUSH BINARY LOGS");
  const auto files = AskForLogFiles(*session_);
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_GE(files->size(), 2U);
  const LogEnd end = AskForLogEnd(*session_).value();
  EXPECT_EQ(files->back().name, end.file);
  EXPECT_EQ(files->back().end_offset, end.offset);
}

}  // namespace
}  // namespace outboxd::binlog
