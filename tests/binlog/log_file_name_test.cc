#include "binlog/log_file_name.h"

#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

TEST(LogFileNameTest, ComesBeforeOneWithAHigherNumber) {
  EXPECT_TRUE(IsBefore("binlog.000009", "binlog.000010"));
  EXPECT_TRUE(IsBefore("binlog.999999", "binlog.1000000")) << "by number, not by letters";
  EXPECT_FALSE(IsBefore("binlog.000010", "binlog.000010"));
  EXPECT_FALSE(IsBefore("binlog.000010", "binlog.000009"));
  EXPECT_FALSE(IsBefore("binlog.000001", "mysql-bin.000002")) << "another log";
}

TEST(LogFileNameTest, TheFirstOneHasTheNumberOne) {
  EXPECT_FALSE(HasFilesBefore("binlog.000001"));
  EXPECT_TRUE(HasFilesBefore("binlog.000002"));
  EXPECT_TRUE(HasFilesBefore("my.log.1000000"));
  EXPECT_FALSE(HasFilesBefore("binlog"));
  EXPECT_FALSE(HasFilesBefore("binlog.x2"));
  EXPECT_FALSE(HasFilesBefore(""));
}

}  // namespace
}  // namespace outboxd::binlog
