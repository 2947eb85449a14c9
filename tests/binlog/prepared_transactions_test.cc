#include "binlog/prepared_transactions.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

namespace outboxd::binlog {
namespace {

constexpr std::size_t kMemoryBytesMax = 100;

class PreparedTransactionsTest : public testing::Test {
 protected:
  static TransactionBuffer Rows(const std::string& text,
                                const std::string& directory = testing::TempDir()) {
    TransactionBuffer rows({.spill_directory = directory});
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    EXPECT_TRUE(rows.Append(EventType::kWriteRows, bytes));
    return rows;
  }
  Result<void> Hold(const std::string& xid, std::uint64_t number, const std::string& rows = "r") {
    Transaction transaction;
    transaction.xid = xid;
    if (number != 0) transaction.gtid = Gtid{.origin = {}, .number = number};
    transaction.file = "binlog.000001";
    transaction.begin_offset = number;
    return prepared_.Hold(transaction, Rows(rows));
  }
  // The rows of the held one, "seen" or "unknown" where none is held.
  std::string Take(const std::string& xid) {
    auto [was_seen, held] = prepared_.Take(xid);
    if (!held) return was_seen ? "seen" : "unknown";
    EXPECT_TRUE(was_seen);
    EXPECT_EQ(held->transaction.xid, xid);
    in_memory_ = held->rows.memory_bytes();
    held->rows.Rewind();
    const auto record = held->rows.Next();
    return record && *record ? std::string(AsText((*record)->body)) : "no rows";
  }

  PreparedTransactions prepared_{kMemoryBytesMax};
  std::size_t in_memory_ = 0;  // Of the rows last taken.
};

TEST_F(PreparedTransactionsTest, GivesTheRowsToTheDecisionOnce) {
  ASSERT_TRUE(Hold("a", 1, "rows of a"));
  ASSERT_TRUE(Hold("b", 2, "rows of b"));
  EXPECT_EQ(Take("b"), "rows of b");
  EXPECT_EQ(Take("b"), "unknown");
  EXPECT_EQ(Take("a"), "rows of a");
  EXPECT_EQ(prepared_.held_count(), 0u);
}

TEST_F(PreparedTransactionsTest, TheOldestIsTheFirstOfTheLogStillHeld) {
  EXPECT_EQ(prepared_.oldest(), nullptr);
  ASSERT_TRUE(Hold("b", 1));
  ASSERT_TRUE(Hold("a", 2));
  EXPECT_EQ(prepared_.oldest()->xid, "b");
  Take("b");
  EXPECT_EQ(prepared_.oldest()->xid, "a");
  Take("a");
  EXPECT_EQ(prepared_.oldest(), nullptr);
}

TEST_F(PreparedTransactionsTest, TellsTheGtidsOfWhatItHolds) {
  ASSERT_TRUE(Hold("a", 5));
  ASSERT_TRUE(Hold("anonymous", 0));
  ASSERT_TRUE(Hold("b", 6));
  prepared_.Remember("c");
  EXPECT_EQ(prepared_.held_gtids().ToText(), "00000000-0000-0000-0000-000000000000:5-6");
  Take("a");
  EXPECT_EQ(prepared_.held_gtids().ToText(), "00000000-0000-0000-0000-000000000000:6");
}

TEST_F(PreparedTransactionsTest, KnowsTheNameOfOneWithoutRowsUntilItIsDecided) {
  prepared_.Remember("a");
  EXPECT_EQ(prepared_.held_count(), 0u);
  EXPECT_EQ(Take("a"), "seen");
  EXPECT_EQ(Take("a"), "unknown");
}

TEST_F(PreparedTransactionsTest, RefusesASecondOfOneNameAndTellsBothPlaces) {
  ASSERT_TRUE(Hold("a", 5, "first"));
  const auto refused = Hold("a", 6);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(refused.error().message.find("binlog.000001:5"), std::string::npos);
  EXPECT_NE(refused.error().message.find("binlog.000001:6"), std::string::npos);
  EXPECT_EQ(Take("a"), "first");
  EXPECT_TRUE(Hold("a", 7)) << "decided, so that the name is free again";
}

TEST_F(PreparedTransactionsTest, ARestartForgetsAllButTheNamesItIsGiven) {
  ASSERT_TRUE(Hold("held", 1, std::string(60, 'x')));
  prepared_.Remember("seen before");
  prepared_.Restart({"from the checkpoint"});
  EXPECT_EQ(prepared_.held_count(), 0u);
  EXPECT_TRUE(prepared_.held_gtids().empty());
  EXPECT_EQ(Take("held"), "unknown");
  EXPECT_EQ(Take("seen before"), "unknown");
  EXPECT_EQ(Take("from the checkpoint"), "seen");
  ASSERT_TRUE(Hold("next", 2, std::string(60, 'x')));
  Take("next");
  EXPECT_GT(in_memory_, 60u) << "the memory of those forgotten is free again";
}

TEST_F(PreparedTransactionsTest, WhatMemoryCannotHoldGoesToTheFile) {
  const std::string rows(60, 'x');
  ASSERT_TRUE(Hold("a", 1, rows));
  ASSERT_TRUE(Hold("b", 2, rows));
  EXPECT_EQ(Take("b"), rows);
  EXPECT_EQ(in_memory_, 0u);
  EXPECT_EQ(Take("a"), rows);
  EXPECT_GT(in_memory_, 60u);
  ASSERT_TRUE(Hold("c", 3, rows));
  EXPECT_EQ(Take("c"), rows);
  EXPECT_GT(in_memory_, 60u) << "the decided ones take no memory any more";
}

TEST_F(PreparedTransactionsTest, TellsWhoTakesMostOfTheSpillDirectory) {
  EXPECT_TRUE(prepared_.LargestSpilled(2).empty());
  ASSERT_TRUE(Hold("in memory", 1, std::string(90, 'x')));
  EXPECT_TRUE(prepared_.LargestSpilled(2).empty());
  for (const auto& [xid, bytes] : {std::pair{"small", 20u}, {"large", 40u}, {"medium", 30u}}) {
    ASSERT_TRUE(Hold(xid, 2, std::string(bytes, 'x')));
  }
  const auto largest = prepared_.LargestSpilled(2);
  ASSERT_EQ(largest.size(), 2u);
  EXPECT_EQ(largest[0]->transaction.xid, "large");
  EXPECT_EQ(largest[1]->transaction.xid, "medium");
}

TEST_F(PreparedTransactionsTest, HoldsNothingOfWhatCannotBeSpilled) {
  Transaction transaction;
  transaction.xid = "a";
  const auto refused =
      prepared_.Hold(transaction, Rows(std::string(200, 'x'), testing::TempDir() + "/none"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kSpill);
  EXPECT_EQ(Take("a"), "unknown");
}

}  // namespace
}  // namespace outboxd::binlog
