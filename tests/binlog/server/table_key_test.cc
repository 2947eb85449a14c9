#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

using Pair = std::pair<std::string, std::string>;

struct KeyType {
  std::string type;
  std::vector<std::string> values;  // As SQL writes them.
};

std::vector<KeyType> OtherTypes() {
  return {
      {"TINYINT", {"-128", "-1", "0", "1", "127"}},
      {"SMALLINT UNSIGNED", {"0", "1", "32768", "65535"}},
      {"INT(10) ZEROFILL", {"0", "1", "42", "4294967295"}},
      {"BIGINT", {"-9223372036854775808", "-2", "-1", "0", "9", "10", "9223372036854775807"}},
      {"BIGINT UNSIGNED", {"0", "9", "10", "9223372036854775808", "18446744073709551615"}},
      {"DECIMAL(20,4)",
       {"-9999999999999999.9999", "-10", "-9.5", "-0.0001", "0", "0.0001", "9.5", "10"}},
      {"DECIMAL(65,30)", {"-1", "0", "0.000000000000000000000000000001", "1", "10.5"}},
      {"DECIMAL(5,0) ZEROFILL", {"0", "9", "10", "99999"}},
      {"FLOAT",
       {"-3.4e38", "-1.5", "-1e-40", "-0.0", "0.0", "1e-40", "0.1", "16777216", "16777218",
        "3.4e38"}},
      {"FLOAT(7,3)", {"-1.234", "0", "1.233", "1.234", "1.235", "1234.567"}},
      {"DOUBLE", {"-1.7e308", "-1", "-5e-324", "0e0", "-0e0", "5e-324", "0.1", "1e15", "1.7e308"}},
      {"DOUBLE(10,2)", {"-3.33", "0", "3.33", "3.34", "99999999.99"}},
      {"BIT(12)", {"0", "1", "255", "256", "4095"}},
      {"BIT(64)", {"0", "1", "9223372036854775807", "18446744073709551615"}},
      {"BINARY(4)", {"''", "'a'", "'a '", "X'6100'", "X'6101'", "'ab'", "X'FF'"}},
      {"VARBINARY(4)", {"''", "'a'", "'a '", "X'6100'", "X'610000'", "X'6101'", "'ab'", "X'FF'"}},
      {"DATE", {"'0000-00-00'", "'2015-00-21'", "'2015-02-31'", "'1000-01-01'", "'9999-12-31'"}},
      {"DATETIME", {"'0000-00-00'", "'2015-02-31 10:00:00'", "'9999-12-31 23:59:59'"}},
      {"DATETIME(6)",
       {"'2015-02-01 10:00:00.000001'", "'2015-02-01 10:00:00.1'", "'2015-02-01 10:00:00'"}},
      {"TIMESTAMP(3)",
       {"0", "'1970-01-01 00:00:01'", "'2020-01-01 00:00:00.123'", "'2038-01-19 03:14:07.999'"}},
      {"TIME", {"'-838:59:59'", "'-99:00:00'", "'-00:00:01'", "0", "'99:00:00'", "'838:59:59'"}},
      {"TIME(6)",
       {"'-838:59:58.999999'", "'-00:00:00.000001'", "0", "'00:00:00.000001'", "'100:00:00'"}},
      {"YEAR", {"'0000'", "1901", "1999", "2000", "2155"}},
      {"ENUM('z','y','','x')", {"0", "1", "2", "3", "4"}},
      {"SET('d','c','b','a')", {"0", "1", "2", "3", "8", "15"}},
  };
}

constexpr auto kCollations = std::to_array<std::string_view>({
    "utf8mb4_0900_ai_ci",
    "utf8mb4_0900_as_cs",
    "utf8mb4_0900_bin",
    "utf8mb4_general_ci",
    "utf8mb4_unicode_ci",
    "utf8mb4_unicode_520_ci",
    "utf8mb4_bin",
    "utf8mb3_general_ci",
    "utf8mb3_bin",
    "latin1_swedish_ci",
    "latin1_bin",
    "latin1_german2_ci",
    "ascii_bin",
    "utf8mb4_ja_0900_as_cs",
    "utf8mb4_zh_0900_as_cs",
    "ascii_general_ci",
    "gbk_chinese_ci",
    "utf16_general_ci",
    "ucs2_bin",
    "utf8mb4_de_pb_0900_as_cs",
});

// Texts in which collations differ: case, accents, combining marks, expansions, blanks, controls.
std::vector<std::string> RandomTexts(std::uint32_t seed, std::size_t count) {
  static constexpr auto kParts = std::to_array<const char*>({
      "a", "A",  "b",      "B",  "c",  "ch",     "0",       "9",      "-",      "_",
      " ", "  ", "\t",     "\n", ".",  "'",      "\\",      "~",      "\x01",   "\x7f",
      "ä", "ö",  "Ü",      "ß",  "ss", "é",      "e\u0301", "\u0301", "\u0308", "ñ",
      "Æ", "ae", "œ",      "Œ",  "ſ",  "\u00a0", "\u00ad",  "\u200b", "あ",     "ア",
      "ｱ", "が", "中",     "国", "한", "я",      "Я",       "ё",      "ﷺ",      "ﬃ",
      "İ", "ı",  "\u3000", "😀", "𠀀", "€",      "ー",      "ŉ",
  });
  std::mt19937 random(seed);
  std::vector<std::string> texts = {"", " ", "a", "a ", "a\t", "a  ", "A\t "};
  while (texts.size() < count) {
    std::string text;
    for (auto left = random() % 5; left > 0; --left) text += kParts[random() % kParts.size()];
    texts.push_back(std::move(text));
  }
  return texts;
}

class KeyPlacesTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    Run("SET SESSION sql_log_bin = OFF");
  }

  // Fills a table whose key is a column of `type` and a number, and compares places with it.
  void Check(const KeyType& key_type, bool is_descending) {
    SCOPED_TRACE(key_type.type + (is_descending ? " DESC" : ""));
    Run("DROP TABLE IF EXISTS t");
    Run(fmt::format("CREATE TABLE t (k {} NOT NULL, id INT NOT NULL, PRIMARY KEY (k{}, id))",
                    key_type.type, is_descending ? " DESC" : ""));
    std::string values;
    for (std::size_t i = 0; i < key_type.values.size(); ++i) {
      values += fmt::format("{}({}, {})", i == 0 ? "" : ", ", key_type.values[i], i);
    }
    Run("INSERT IGNORE INTO t VALUES " + values);
    const TableToRead table = Describe("t");
    ASSERT_EQ(table.key.columns.size(), 2U);
    const Chunk chunk = ReadAll(table);
    ASSERT_EQ(chunk.rows.size(), key_type.values.size());
    CheckOrder(table, chunk);
    CheckEquality(table, chunk);
  }

  Chunk ReadAll(const TableToRead& table) {
    const std::vector<std::string> columns = {"id"};
    auto chunk = source_.Read(
        {.table = table, .columns = columns, .rows_max = 1'000'000, .bytes_max = 1'000'000'000});
    EXPECT_TRUE(chunk) << chunk.error().message;
    return chunk && *chunk ? std::move(**chunk) : Chunk();
  }

  void CheckOrder(const TableToRead& table, const Chunk& chunk) {
    for (std::size_t i = 1; i < chunk.rows.size(); ++i) {
      EXPECT_LT(chunk.rows[i - 1].place, chunk.rows[i].place)
          << testing::PrintToString(chunk.rows[i - 1].key) << " and "
          << testing::PrintToString(chunk.rows[i].key);
    }
    std::vector<KeyValues> keys;
    for (const ChunkRow& row : chunk.rows) keys.push_back(row.key);
    auto places = source_.PlacesOf(table.key, keys);
    ASSERT_TRUE(places) << places.error().message;
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ((*places)[i], chunk.rows[i].place);
  }

  void CheckEquality(const TableToRead& table, const Chunk& chunk) {
    std::set<Pair> by_server;
    for (const ResultRow& row : Run("SELECT a.id, b.id FROM t a JOIN t b ON a.k = b.k")) {
      by_server.emplace(*row[0], *row[1]);
    }
    TableKey first = table.key;
    first.columns.pop_back();
    std::vector<KeyValues> keys;
    for (const ChunkRow& row : chunk.rows) keys.push_back({row.key.front()});
    auto places = source_.PlacesOf(first, keys);
    ASSERT_TRUE(places) << places.error().message;
    std::set<Pair> by_place;
    for (std::size_t a = 0; a < keys.size(); ++a) {
      for (std::size_t b = 0; b < keys.size(); ++b) {
        if ((*places)[a] != (*places)[b]) continue;
        by_place.emplace(chunk.rows[a].values[0].value(), chunk.rows[b].values[0].value());
      }
    }
    EXPECT_EQ(by_place, by_server);
  }
};

TEST_F(KeyPlacesTest, OrderNumbersBytesAndTimesAsTheServerDoes) {
  for (KeyType type : OtherTypes()) {
    std::ranges::reverse(type.values);
    Check(type, false);
    Check(type, true);
  }
}

TEST_F(KeyPlacesTest, OrderTextAsTheServerDoes) {
  std::uint32_t seed = 1;
  for (const std::string_view collation : kCollations) {
    for (const char* type : {"CHAR(30)", "VARCHAR(30)"}) {
      KeyType key_type;
      key_type.type =
          fmt::format("{} CHARACTER SET {} COLLATE {}", type, CharacterSetOf(collation), collation);
      for (const std::string& text : RandomTexts(seed, 500)) {
        key_type.values.push_back(session_->Quote(text));
      }
      Check(key_type, seed % 5 == 0);
      ++seed;
    }
  }
}

// Of those that are not known the weights have been seen to differ from the server's order.
TEST_F(KeyPlacesTest, OrderTextOfEveryKnownCollation) {
  const auto collations =
      Run("SELECT collation_name, character_set_name FROM information_schema.collations WHERE"
          " collation_name <> 'binary'");
  std::size_t known = 0;
  for (const ResultRow& row : collations) {
    const KeyColumn column = {.name = "k", .type = "varchar(30)", .collation = *row[0]};
    if (!KeyColumnOrder(column).is_known()) continue;
    EXPECT_EQ(CharacterSetOf(*row[0]), *row[1]);
    ++known;
    KeyType key_type;
    key_type.type = fmt::format("VARCHAR(30) CHARACTER SET {} COLLATE {}", *row[1], *row[0]);
    for (const std::string& text : RandomTexts(static_cast<std::uint32_t>(known), 150)) {
      key_type.values.push_back(session_->Quote(text));
    }
    Check(key_type, false);
  }
  EXPECT_GT(known, 250U);
}

TEST_F(KeyPlacesTest, PadAsTheServerSaysOfEveryCollation) {
  const auto collations =
      Run("SELECT collation_name, pad_attribute FROM information_schema.collations WHERE"
          " collation_name <> 'binary'");
  for (const ResultRow& row : collations) {
    EXPECT_EQ(row[0]->find("_0900_") != std::string::npos, row[1] == "NO PAD") << *row[0];
  }
}

}  // namespace
}  // namespace outboxd::binlog
