// Changes that the log holds as statements, not as rows: TransactionReader tells which of them may
// have changed an event table.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/binlog/event_stream.h"

namespace outboxd::binlog {
namespace {

const std::string kInShop = UpdatedSchemas({"shop"});
const std::string kElsewhere = UpdatedSchemas({"app"});

struct Effect {
  const char* claim;
  std::string text;
  std::string status;
  DdlEffect effect;

  friend std::ostream& operator<<(std::ostream& out, const Effect& effect) {
    return out << effect.claim;
  }
};

class DdlEffectReaderTest : public EventStreamTest, public testing::WithParamInterface<Effect> {};

TEST_P(DdlEffectReaderTest, IsThatOnEventTables) {
  Gtid(1);
  ASSERT_EQ(Query(GetParam().text, GetParam().status), Outcome::kTransaction);
  EXPECT_EQ(transaction().ddl_effect, GetParam().effect);
  Transact(2);
  EXPECT_EQ(transaction().ddl_effect, DdlEffect::kNone);
}

INSTANTIATE_TEST_SUITE_P(
    Effects, DdlEffectReaderTest,
    testing::Values(
        Effect{"Truncate", "TRUNCATE outbox", kInShop, DdlEffect::kLosesRows},
        Effect{"BehindALongList", "ALTER TABLE outbox " + std::string(100'000, ' ') + "RENAME b",
               kInShop, DdlEffect::kLosesRows},
        Effect{"Create", "CREATE TABLE outbox (id INT)", kInShop, DdlEffect::kNone},
        Effect{"Index", "CREATE INDEX i ON outbox (id)", kInShop, DdlEffect::kAlters},
        Effect{"Alter", "ALTER TABLE outbox ADD x INT", kInShop, DdlEffect::kAlters},
        Effect{"OfAnotherTable", "TRUNCATE orders", kInShop, DdlEffect::kNone},
        Effect{"OfAnotherSchema", "TRUNCATE outbox", kElsewhere, DdlEffect::kNone},
        Effect{"DropOfTheSchema", "DROP DATABASE shop", kInShop, DdlEffect::kLosesRows},
        Effect{"DropOfAnotherSchema", "DROP DATABASE app", kElsewhere, DdlEffect::kNone},
        Effect{"DropOfASchemaNotTold", "DROP DATABASE shop", "", DdlEffect::kLosesRows}),
    [](const auto& effect) { return std::string(effect.param.claim); });

class ReaderStatementsTest : public EventStreamTest {};

TEST_F(ReaderStatementsTest, AreToldWhereTheyMayHaveChangedAnEventTable) {
  for (const bool is_told : {true, false}) {
    Begin(1);
    const std::string& schema = is_told ? kInShop : kElsewhere;
    ASSERT_EQ(Query("INSERT INTO outbox VALUES (1)", schema), Outcome::kNothing);
    ASSERT_EQ(Query("SAVEPOINT `s`", kInShop), Outcome::kNothing);
    ASSERT_EQ(Xid(), Outcome::kTransaction);
    EXPECT_EQ(transaction().statements, is_told ? 1u : 0u);
    EXPECT_EQ(transaction().statement, is_told ? "INSERT INTO outbox VALUES (1)" : "");
    EXPECT_FALSE(transaction().has_rows);
  }
}

TEST_F(ReaderStatementsTest, ADdlOfAGroupOfItsOwnIsQuotedWhereItMayConcernAnEventTable) {
  for (const bool is_told : {true, false}) {
    Gtid(1);
    const std::string& schema = is_told ? kInShop : kElsewhere;
    ASSERT_EQ(Query("truncate shop.outbox", schema), Outcome::kTransaction);
    EXPECT_EQ(transaction().ddl, is_told ? "truncate shop.outbox" : "");
    EXPECT_EQ(transaction().statements, 0u);
    EXPECT_EQ(gtids(), "1");
  }
}

TEST_F(ReaderStatementsTest, LoadDataIsOne) {
  Begin(1);
  ASSERT_EQ(Feed(EventType::kBeginLoadQuery, EventBytes().Little(1, 4).Text("1,2")),
            Outcome::kNothing);
  EventBytes load;
  load.Little(0, 8).Little(0, 1).Little(0, 2).Little(kInShop.size(), 2).Little(0, 13);
  load.Text(kInShop).Little(0, 1).Text("LOAD DATA INFILE 'x' INTO TABLE outbox");
  ASSERT_EQ(Feed(EventType::kExecuteLoadQuery, load), Outcome::kNothing);
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(transaction().statements, 1u);
  EXPECT_TRUE(transaction().statement.starts_with("LOAD DATA"));
}

TEST_F(ReaderStatementsTest, TheSchemaOfTheSessionDoesNotMatter) {
  for (const bool is_told : {true, false}) {
    const std::string status = is_told ? kInShop : kElsewhere;
    EventBytes body;
    body.Little(0, 8).Little(4, 1).Little(0, 2).Little(status.size(), 2).Text(status);
    body.Text(is_told ? "else" : "shop").Little(0, 1).Text("INSERT INTO t VALUES (1)");
    Begin(1);
    ASSERT_EQ(Feed(EventType::kQuery, body), Outcome::kNothing);
    ASSERT_TRUE(Xid());
    EXPECT_EQ(transaction().statements, is_told ? 1u : 0u);
  }
}

TEST_F(ReaderStatementsTest, WhatAnnouncesAStatementIsNone) {
  Begin(1);
  for (const auto type : {EventType::kIntvar, EventType::kRand, EventType::kUserVar}) {
    EXPECT_EQ(Feed(type, EventBytes().Little(1, 9)), Outcome::kNothing);
  }
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(transaction().statements, 0u);
}

TEST_F(ReaderStatementsTest, AllAreCountedAndTheFirstIsQuotedInPart) {
  Begin(1);
  const std::string first(1000, 'a');
  ASSERT_TRUE(Query(first, kInShop));
  ASSERT_TRUE(Query("another", kInShop));
  ASSERT_TRUE(Query("foreign", kElsewhere));
  ASSERT_TRUE(Xid());
  EXPECT_EQ(transaction().statements, 2u);
  EXPECT_EQ(transaction().statement, first.substr(0, 200));
}

TEST_F(ReaderStatementsTest, ADroppedSchemaOrAnIndexHasAnEffectButIsNotQuoted) {
  for (const char* text : {"DROP DATABASE shop", "DROP INDEX i ON outbox"}) {
    Gtid(1);
    ASSERT_EQ(Query(text, kInShop), Outcome::kTransaction);
    EXPECT_NE(transaction().ddl_effect, DdlEffect::kNone) << text;
    EXPECT_EQ(transaction().ddl, "") << text;
  }
}

TEST_F(ReaderStatementsTest, TheNextTransactionBeginsWithoutThem) {
  Begin(1);
  ASSERT_TRUE(Query("INSERT", kInShop));
  ASSERT_TRUE(Xid());
  Transact(2);
  EXPECT_EQ(transaction().statements, 0u);
  EXPECT_EQ(transaction().statement, "");
}

TEST_F(ReaderStatementsTest, RowsBesideAStatementArePublished) {
  Begin(1);
  Insert();
  ASSERT_TRUE(Query("INSERT", kInShop));
  ASSERT_TRUE(Xid());
  EXPECT_TRUE(transaction().has_rows);
  EXPECT_EQ(transaction().statements, 1u);
}

}  // namespace
}  // namespace outboxd::binlog
