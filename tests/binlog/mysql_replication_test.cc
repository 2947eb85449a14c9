#include "binlog/mysql_replication.h"

#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

// A row of SHOW REPLICA STATUS of MySQL 9.7, as far as it is looked at.
struct Channel {
  std::string received_file = "binlog.000003", applied_file = "binlog.000003";
  std::string received = "5000", applied = "5000";
  std::string receiver = "Yes", applier = "Yes";
  std::optional<std::string> seconds = "0";
  std::string state = "Replica has read all relay log; waiting for more updates";

  [[nodiscard]] ResultRow row() const {
    ResultRow row(60, "");
    row[5] = received_file;
    row[6] = received;
    row[9] = applied_file;
    row[10] = receiver;
    row[11] = applier;
    row[21] = applied;
    row[32] = seconds;
    row[44] = state;
    return row;
  }
};

TEST(IsBehindTest, AReplicaThatHasAppliedAllItReceivedIsNotBehind) {
  EXPECT_FALSE(IsBehind(Channel{}.row()));
}

TEST(IsBehindTest, OneThatHasSomethingToApplyIs) {
  const std::string delays = "Waiting until SOURCE_DELAY seconds after source executed event";
  EXPECT_TRUE(IsBehind(Channel{.applied = "4000", .seconds = "7", .state = delays}.row()));
  EXPECT_TRUE(IsBehind(Channel{.applied = "4000", .seconds = "0", .state = delays}.row()))
      << "with several applier threads it says 0 s while it waits";
  EXPECT_TRUE(IsBehind(Channel{.applied = "4000", .seconds = "1"}.row()));
  EXPECT_TRUE(IsBehind(Channel{.received_file = "binlog.000004", .seconds = "3"}.row()));
}

TEST(IsBehindTest, PlacesThatDifferWithNothingBetweenThemAreNot) {
  EXPECT_FALSE(IsBehind(Channel{.applied = "4000"}.row()));
}

TEST(IsBehindTest, OneThatDoesNotReceiveOrNotApplyIs) {
  EXPECT_TRUE(IsBehind(Channel{.receiver = "Connecting", .seconds = std::nullopt}.row()));
  EXPECT_TRUE(IsBehind(Channel{.receiver = "No", .seconds = std::nullopt}.row()));
  EXPECT_TRUE(IsBehind(Channel{.applier = "No", .seconds = std::nullopt}.row()));
}

TEST(IsBehindTest, OnlyWhatNeitherReceivesNorAppliesIsStopped) {
  EXPECT_TRUE(IsStopped(Channel{.receiver = "No", .applier = "No"}.row()));
  EXPECT_FALSE(IsStopped(Channel{.receiver = "No"}.row()));
  EXPECT_FALSE(IsStopped(Channel{.receiver = "Connecting", .applier = "No"}.row()));
}

}  // namespace
}  // namespace outboxd::binlog
