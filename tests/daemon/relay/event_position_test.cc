#include "daemon/relay/event_position.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

binlog::Gtid MakeGtid(const std::string& tag) {
  return {{binlog::ParseUuid("11111111-1111-1111-1111-111111111111").value(), tag}, 42};
}

TEST(EventPositionTest, CountsTheRowsOfATransactionBehindItsGtid) {
  EventPosition position;
  binlog::Transaction transaction;
  transaction.gtid = MakeGtid("");
  position.Begin(transaction);
  EXPECT_EQ(position.NextRow(), "11111111-1111-1111-1111-111111111111:42:1");
  EXPECT_EQ(position.NextRow(), "11111111-1111-1111-1111-111111111111:42:2");
  position.Begin(transaction);
  EXPECT_EQ(position.NextRow(), "11111111-1111-1111-1111-111111111111:42:1");
}

TEST(EventPositionTest, NamesTheTagOfATaggedGtid) {
  EventPosition position;
  binlog::Transaction transaction;
  transaction.gtid = MakeGtid("blue");
  position.Begin(transaction);
  EXPECT_EQ(position.NextRow(), "11111111-1111-1111-1111-111111111111:blue:42:1");
}

TEST(EventPositionTest, UsesFileAndOffsetOfAnAnonymousTransaction) {
  EventPosition position;
  binlog::Transaction transaction;
  transaction.file = "binlog.000007";
  transaction.begin_offset = 5'000'000'000;
  position.Begin(transaction);
  EXPECT_EQ(position.NextRow(), "binlog.000007:5000000000:1");
}

TEST(EventPositionTest, NamesTableAndKeyInATableRead) {
  EventPosition position;
  EXPECT_EQ(position.TableRow("shop", "outbox", "7"), "table:shop.outbox:7");
}

}  // namespace
}  // namespace outboxd
