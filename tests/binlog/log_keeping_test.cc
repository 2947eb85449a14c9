#include "binlog/log_keeping.h"

#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

TEST(LogKeepingTest, AsSetWhereNothingWasRemovedYet) {
  const LogKeeping keeping{
      .expiry = days(30), .oldest_file = "binlog.000001", .oldest_age = hours(1)};
  EXPECT_EQ(keeping.kept(), days(30));
  EXPECT_FALSE(keeping.is_seen());
}

TEST(LogKeepingTest, AsSeenWhereFilesAreGoneBeforeTheirTime) {
  const LogKeeping keeping{
      .expiry = days(30), .oldest_file = "binlog.000002", .oldest_age = hours(1)};
  EXPECT_EQ(keeping.kept(), hours(1));
  EXPECT_TRUE(keeping.is_seen());
}

// A file stays until the next one begins, however long that takes.
TEST(LogKeepingTest, AsSetWhereTheOldestFileIsOlder) {
  const LogKeeping keeping{
      .expiry = days(30), .oldest_file = "binlog.000002", .oldest_age = days(31)};
  EXPECT_EQ(keeping.kept(), days(30));
  EXPECT_FALSE(keeping.is_seen());
}

TEST(LogKeepingTest, ForEverWhereNothingIsSetAndNothingGone) {
  LogKeeping keeping{.expiry = seconds(0), .oldest_file = "binlog.000001", .oldest_age = hours(9)};
  EXPECT_EQ(keeping.kept(), std::nullopt);
  keeping.oldest_file = "binlog.000003";
  EXPECT_EQ(keeping.kept(), hours(9)) << "somebody removes files";
  keeping.oldest_age.reset();
  EXPECT_EQ(keeping.kept(), std::nullopt);
}

}  // namespace
}  // namespace outboxd::binlog
