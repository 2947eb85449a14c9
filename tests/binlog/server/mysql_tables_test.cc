#include "binlog/mysql_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class MysqlTablesTest : public ServerTest {
 protected:
  std::vector<std::string> Names(std::string_view table_pattern) {
    std::vector<std::string> names;
    for (const TableFacts& table : Tables(table_pattern)) names.push_back(table.table_name);
    return names;
  }
  std::vector<TableFacts> Tables(std::string_view table_pattern) {
    auto tables = DescribeTables(*session_, kSchema, table_pattern);
    EXPECT_TRUE(tables) << tables.error().message;
    return tables.value_or(std::vector<TableFacts>());
  }
  std::optional<std::uint64_t> Older(std::string_view column, std::uint64_t rows_max = 100) {
    const auto count = CountOlder(*session_, Tables("t").at(0), column, 1h, rows_max);
    EXPECT_TRUE(count) << count.error().message;
    return count.value_or(std::nullopt);
  }
};

TEST_F(MysqlTablesTest, OnlyStarAndQuestionMarkStandForOtherCharacters) {
  for (const char* name : {"a_b", "axb", "a%b", "ab"}) {
    Run(fmt::format("CREATE TABLE `{}` (id INT PRIMARY KEY)", name));
  }
  EXPECT_THAT(Names("a_b"), ElementsAre("a_b"));
  EXPECT_THAT(Names("a%b"), ElementsAre("a%b"));
  EXPECT_THAT(Names("a?b"), ElementsAre("a%b", "a_b", "axb"));
  EXPECT_THAT(Names("a*b"), ElementsAre("a%b", "a_b", "ab", "axb"));
  EXPECT_THAT(Names("none"), IsEmpty());
}

TEST_F(MysqlTablesTest, ATableIsToldWithItsEngineColumnsAndKey) {
  Run("CREATE TABLE t (a VARCHAR(7) CHARACTER SET latin1, b BIGINT NOT NULL AUTO_INCREMENT, c INT,"
      " PRIMARY KEY (b, c))");
  Run("CREATE VIEW t_view AS SELECT * FROM t");
  const std::vector<TableFacts> tables = Tables("t*");
  ASSERT_EQ(tables.size(), 1U) << "a view is no table";
  EXPECT_EQ(tables[0].engine, "InnoDB");
  EXPECT_TRUE(tables[0].engine_is_transactional);
  EXPECT_THAT(tables[0].primary_key, ElementsAre("b", "c"));
  ASSERT_EQ(tables[0].columns.size(), 3U);
  EXPECT_EQ(tables[0].columns[0].character_set, "latin1");
  EXPECT_EQ(tables[0].columns[0].octet_length, 7U);
  EXPECT_TRUE(tables[0].columns[0].nullable);
  EXPECT_EQ(tables[0].columns[1].type, "bigint");
  EXPECT_TRUE(tables[0].columns[1].is_auto_increment);
  EXPECT_THAT(DescribeColumns(*session_, kSchema, "none").value(), IsEmpty());
}

TEST_F(MysqlTablesTest, ForeignKeysThatChangeRowsAreCascades) {
  Run("CREATE TABLE parent (id INT PRIMARY KEY)");
  Run("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c INT,"
      " CONSTRAINT k1 FOREIGN KEY (a) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL,"
      " CONSTRAINT k2 FOREIGN KEY (b) REFERENCES parent (id) ON UPDATE CASCADE,"
      " CONSTRAINT k3 FOREIGN KEY (c) REFERENCES parent (id))");
  const auto cascades = AskForCascades(*session_, Tables("t").at(0));
  ASSERT_TRUE(cascades) << cascades.error().message;
  ASSERT_EQ(cascades->size(), 2U);
  EXPECT_EQ(cascades->at(0).name, "k1");
  EXPECT_EQ(cascades->at(0).rules, "ON DELETE CASCADE, ON UPDATE SET NULL");
  EXPECT_EQ(cascades->at(0).parent, "table_source_test.parent");
  EXPECT_EQ(cascades->at(1).rules, "ON UPDATE CASCADE");
}

TEST_F(MysqlTablesTest, OldRowsAreCountedByAnyColumnThatHoldsATime) {
  Run("CREATE TABLE t (id INT PRIMARY KEY, d DATETIME, n BIGINT, s VARCHAR(20))");
  Run("INSERT INTO t VALUES (1, UTC_TIMESTAMP() - INTERVAL 2 HOUR, 1, ''),"
      " (2, UTC_TIMESTAMP(), UNIX_TIMESTAMP() * 1000, ''), (3, '1969-01-01', -1, ''),"
      " (4, NULL, 0, '')");
  EXPECT_EQ(Older("d"), 1U);
  EXPECT_EQ(Older("n"), 2U);
  EXPECT_EQ(Older("N", 1), 1U) << "no more than are asked for";
  EXPECT_EQ(Older("s"), std::nullopt);
  EXPECT_EQ(Older("none"), std::nullopt);
}

TEST_F(MysqlTablesTest, WhatCannotBeCountedIsNoErrorUnlessTheServerIsGone) {
  Run("CREATE TABLE t (id INT PRIMARY KEY, n BIGINT)");
  const TableFacts table = Tables("t").at(0);
  Run("DROP TABLE t");
  EXPECT_EQ(CountOlder(*session_, table, "n", 1h, 1).value(), std::nullopt);
  EXPECT_FALSE(session_->Query("KILL CONNECTION_ID()"));
  EXPECT_EQ(CountOlder(*session_, table, "n", 1h, 1).error().kind, ErrorKind::kDisconnected);
}

}  // namespace
}  // namespace outboxd::binlog
