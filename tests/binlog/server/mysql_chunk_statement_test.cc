#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "binlog/mysql_chunk_statement.h"
#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

constexpr std::size_t kRows = 4000;

struct KeyCase {
  std::string columns;  // As CREATE TABLE takes them; id is there besides.
  std::string key;
  std::string values;  // Of the row `i`.
};

const std::vector<KeyCase>& KeyCases() {
  static const std::vector<KeyCase> cases = {
      {"", "PRIMARY KEY (id)", ""},
      {"", "PRIMARY KEY (id DESC)", ""},
      {"", "PRIMARY KEY (id)) PARTITION BY HASH (id) PARTITIONS 4 -- ", ""},
      {"u CHAR(36) COLLATE utf8mb4_0900_ai_ci NOT NULL,", "PRIMARY KEY (u)", "SHA2(i, 256),"},
      {"u CHAR(36) COLLATE utf8mb4_0900_ai_ci NOT NULL,", "UNIQUE KEY uk (u, id)",
       "LEFT(SHA2(i, 256), 2),"},
      {"u VARCHAR(36) CHARACTER SET latin1 COLLATE latin1_german2_ci NOT NULL,",
       "PRIMARY KEY (u, id DESC)", "CONCAT(CHAR(0xC0 + i % 63 USING latin1), i % 9),"},
      {"b BINARY(16) NOT NULL,", "PRIMARY KEY (b)", "UNHEX(LEFT(SHA2(i, 256), 32)),"},
      {"b VARBINARY(40) NOT NULL,", "PRIMARY KEY (b DESC, id)", "UNHEX(SHA2(i % 99, 256)),"},
      {"e ENUM('c','b','a') NOT NULL,", "PRIMARY KEY (e, id)", "i % 4,"},
      {"e ENUM('c','b','a') NOT NULL,", "PRIMARY KEY (e DESC, id DESC)", "i % 4,"},
      {"s SET('c','b','a') NOT NULL,", "PRIMARY KEY (s, id)", "i % 8,"},
      {"d DECIMAL(20,4) NOT NULL, t TIME(3) NOT NULL,", "PRIMARY KEY (d DESC, t, id)",
       "i DIV 50 - 40.5, SEC_TO_TIME((i % 50 - 20) * 1.001),"},
      {"f FLOAT NOT NULL,", "PRIMARY KEY (f)", "i / 7 - 100,"},
      {"f DOUBLE(12,3) NOT NULL,", "PRIMARY KEY (f DESC)", "i / 7 - 100,"},
      {"b BIT(20) NOT NULL,", "PRIMARY KEY (b)", "i * 3,"},
      {"y YEAR NOT NULL,", "PRIMARY KEY (y, id)", "IF(i % 50 = 0, 0, 1980 + i % 50),"},
      {"d DATE NOT NULL,", "PRIMARY KEY (d, id)",
       "IF(i % 9 = 0, '2015-02-31', DATE'2015-02-01' + INTERVAL i % 60 DAY),"},
      {"t TIMESTAMP(2) NOT NULL,", "PRIMARY KEY (t, id)",
       "IF(i % 9 = 0, 0, FROM_UNIXTIME(1600000000 + i % 100 + 0.25)),"},
  };
  return cases;
}

class TableChunksTest : public ServerTest, public testing::WithParamInterface<KeyCase> {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    Run("SET SESSION cte_max_recursion_depth = 100000");
    Run(fmt::format("CREATE TABLE t ({} id INT NOT NULL, {})", GetParam().columns, GetParam().key));
    Run(
        fmt::format("INSERT IGNORE INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
                    " FROM n WHERE i < {}) SELECT {} i FROM n",
                    kRows, GetParam().values));
    Run("ANALYZE TABLE t");
    table_ = Describe("t");
  }

  Chunk Read(const KeyValues* after, const KeyValues* up_to, std::size_t rows_max, bool locks) {
    auto chunk = source_.Read({.table = table_,
                               .columns = columns_,
                               .after = after,
                               .up_to = up_to,
                               .rows_max = rows_max,
                               .bytes_max = 1'000'000,
                               .waits_for_commits = locks});
    EXPECT_TRUE(chunk) << chunk.error().message;
    return chunk && *chunk ? std::move(**chunk) : Chunk();
  }

  TableToRead table_;
  const std::vector<std::string> columns_ = {"id"};
};

TEST_P(TableChunksTest, CoverEachRowOnceInTheOrderOfPlaces) {
  const auto highest = source_.HighestKey(table_, false);
  ASSERT_TRUE(highest && *highest);
  std::vector<ChunkRow> rows;
  for (bool is_last = false; !is_last && rows.size() < 2 * kRows;) {
    const KeyValues* const after = rows.empty() ? nullptr : &rows.back().key;
    Chunk chunk = Read(after, &**highest, 97, rows.size() % 2 == 1);
    is_last = chunk.is_last;
    rows.insert(rows.end(), chunk.rows.begin(), chunk.rows.end());
  }
  ASSERT_EQ(rows.size(), kRows);
  EXPECT_EQ(rows.back().key, **highest);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_LT(rows[i - 1].place, rows[i].place) << testing::PrintToString(rows[i].key);
  }
}

TEST_P(TableChunksTest, EndAtTheKeyThatIsAskedFor) {
  const Chunk all = Read(nullptr, nullptr, kRows, false);
  ASSERT_EQ(all.rows.size(), kRows);
  for (const std::size_t at : {0UL, 1UL, 1000UL, 1001UL, kRows - 1}) {
    const Chunk chunk = Read(nullptr, &all.rows[at].key, kRows + 1, true);
    ASSERT_EQ(chunk.rows.size(), at + 1) << testing::PrintToString(all.rows[at].key);
    EXPECT_TRUE(chunk.is_last);
    EXPECT_EQ(Read(&all.rows[at].key, nullptr, kRows, false).rows.size(), kRows - 1 - at);
    EXPECT_TRUE(Read(&all.rows[at].key, &all.rows[at].key, 10, false).rows.empty());
  }
}

TEST_P(TableChunksTest, AreFoundInTheIndex) {
  const Chunk all = Read(nullptr, nullptr, kRows, false);
  Run("SET NAMES utf8mb4");
  for (const std::size_t from : {5UL, 2000UL, kRows - 30}) {
    const MysqlChunkStatement statement(table_, *session_);
    const std::string sql = statement.Rows({.table = table_,
                                            .columns = columns_,
                                            .after = &all.rows[from].key,
                                            .up_to = &all.rows[kRows - 3].key,
                                            .rows_max = 500},
                                           " FOR SHARE");
    const auto plan = Run("EXPLAIN FORMAT=TRADITIONAL " + sql);
    ASSERT_EQ(plan.size(), 1U);
    EXPECT_EQ(plan[0][4], "range") << sql;
    EXPECT_EQ(plan[0].back()->find("filesort"), std::string::npos) << sql;
    Run("FLUSH STATUS");
    const std::size_t rows = Run(sql).size();
    std::size_t reads = 0;
    for (const ResultRow& counter : Run("SHOW SESSION STATUS LIKE 'Handler_read%'")) {
      reads += std::stoul(*counter[1]);
    }
    EXPECT_LE(reads, rows + 20) << sql;
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, TableChunksTest, testing::ValuesIn(KeyCases()));

}  // namespace
}  // namespace outboxd::binlog
