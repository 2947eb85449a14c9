#include "binlog/mysql_log.h"

#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

TEST(LogFileTest, EndsWhereTheServerSays) {
  const LogFile file = LogFileOf({"binlog.000007", "1500", "No"});
  EXPECT_EQ(file.name, "binlog.000007");
  EXPECT_EQ(file.end_offset, 1500u);
}

TEST(LogFileTest, OfAServerThatDoesNotTellOfEncryptionItEndsThereToo) {
  EXPECT_EQ(LogFileOf({"binlog.000007", "1500"}).end_offset, 1500u);
}

TEST(LogFileTest, NoOffsetCountsTheHeaderOfAnEncryptedFile) {
  EXPECT_EQ(LogFileOf({"binlog.000007", "1500", "Yes"}).end_offset, 988u);
}

TEST(LogFileTest, WhereTheServerCannotTellTheSizeTheEndIsNotKnown) {
  EXPECT_EQ(LogFileOf({"binlog.000007", "0", "No"}).end_offset, 0u);
  EXPECT_EQ(LogFileOf({"binlog.000007", "0", "Yes"}).end_offset, 0u);
  EXPECT_EQ(LogFileOf({"binlog.000007", std::nullopt, "No"}).end_offset, 0u);
}

}  // namespace
}  // namespace outboxd::binlog
