#include "binlog/column_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "binlog/character_sets.h"
#include "tests/binlog/table_map_bytes.h"

namespace outboxd::binlog {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kUtf8mb4 = 255;

ColumnFacts Varchar(std::string name, std::uint32_t octets = 400) {
  return {.name = std::move(name),
          .type = "varchar(100)",
          .character_set = "utf8mb4",
          .collation = kUtf8mb4,
          .octet_length = octets};
}

ColumnFacts Int(std::string name, std::string type = "int") {
  return {.name = std::move(name), .type = std::move(type)};
}

ColumnFacts Json(std::string name) { return {.name = std::move(name), .type = "json"}; }

// One column, as a log with signs and collations but without names holds it.
struct Kind {
  const char* type;  // As information_schema words it.
  std::uint32_t collation;
  std::uint32_t octets;
  std::uint8_t logged;
  std::vector<std::uint8_t> metadata;
};

// The second column of these tables is `n` of another kind, so that none has a twin.
class ColumnKindTest : public testing::TestWithParam<Kind> {};

TEST_P(ColumnKindTest, IsRecognizedAsTheLogHoldsIt) {
  const Kind& kind = GetParam();
  TableMapBytes bytes;
  bytes.Column(kind.logged, kind.metadata).Column(kTinyType);
  auto map = TableMap::Parse(bytes.bytes()).value();
  map.has_signedness = true;
  const std::vector<ColumnFacts> today = {
      {.name = "c", .type = kind.type, .collation = kind.collation, .octet_length = kind.octets},
      Int("n", "tinyint unsigned")};
  map.columns[1].is_unsigned = true;
  const std::vector<std::string> wanted = {"c"};
  const auto named = NameColumns(today, wanted, map);
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(map.columns[0].name, "c");
  EXPECT_EQ(map.columns[1].name, "n");
}

INSTANTIATE_TEST_SUITE_P(
    Types, ColumnKindTest,
    testing::Values(
        Kind{"tinyint", 0, 0, 1, {}}, Kind{"smallint", 0, 0, 2, {}}, Kind{"mediumint", 0, 0, 9, {}},
        Kind{"int(11)", 0, 0, 3, {}}, Kind{"bigint", 0, 0, 8, {}}, Kind{"float(7,3)", 0, 0, 4, {4}},
        Kind{"double", 0, 0, 5, {8}}, Kind{"decimal(10,2)", 0, 0, 246, {10, 2}},
        Kind{"decimal(65,0)", 0, 0, 246, {65, 0}}, Kind{"bit(1)", 0, 0, 16, {1, 0}},
        Kind{"bit(12)", 0, 0, 16, {4, 1}}, Kind{"bit(64)", 0, 0, 16, {0, 8}},
        Kind{"date", 0, 0, 10, {}}, Kind{"time(3)", 0, 0, 19, {3}}, Kind{"datetime", 0, 0, 18, {0}},
        Kind{"timestamp(6)", 0, 0, 17, {6}}, Kind{"year", 0, 0, 13, {}},
        Kind{"char(10)", kUtf8mb4, 40, 254, {254, 40}},
        Kind{"char(255)", kUtf8mb4, 1020, 254, {254 ^ 0x30, 252}},
        Kind{"binary(16)", 0, 16, 254, {254, 16}}, Kind{"varchar(64)", kUtf8mb4, 256, 15, {0, 1}},
        Kind{"varbinary(255)", 0, 255, 15, {255, 0}},
        Kind{"enum('a','b')", kUtf8mb4, 4, 254, {247, 1}},
        Kind{"set('a,b','it''s','c')", kUtf8mb4, 9, 254, {248, 1}},
        Kind{"set('1','2','3','4','5','6','7','8','9')", kUtf8mb4, 9, 254, {248, 2}},
        Kind{"tinytext", kUtf8mb4, 255, 252, {1}}, Kind{"blob", 0, 65535, 252, {2}},
        Kind{"mediumtext", kUtf8mb4, 16777215, 252, {3}}, Kind{"longblob", 0, 4294967295, 252, {4}},
        Kind{"json", 0, 0, 245, {4}}, Kind{"point", 0, 0, 255, {4}},
        Kind{"geomcollection", 0, 0, 255, {4}}, Kind{"vector(3)", 0, 12, 242, {4}}),
    [](const auto& test) {
      std::string name = std::to_string(test.index) + "_";
      for (const char* c = test.param.type; *c != '\0' && *c != '('; ++c) name += *c;
      return name;
    });

// A table of id INT, a VARCHAR(100) and b of a type of its own.
class NameColumnsTest : public testing::Test {
 protected:
  NameColumnsTest() {
    TableMapBytes bytes;
    bytes.Column(kLongType).Column(kVarcharType, {144, 1}).Column(kJsonType, {4});
    bytes.Optional(1, {0}).Optional(2, {0xFC, 255, 0});
    map_ = TableMap::Parse(bytes.bytes()).value();
  }
  // The names that the columns get, or why they get none.
  std::string Name(const std::vector<ColumnFacts>& today,
                   const std::vector<std::string>& wanted = {"id", "a", "b"}) {
    const auto named = NameColumns(today, wanted, map_);
    if (!named) {
      EXPECT_EQ(named.error().kind, ErrorKind::kUnsuitable);
      EXPECT_FALSE(map_.has_names);
      return named.error().message;
    }
    std::string names;
    for (const Column& column : map_.columns) names += column.name + " ";
    return names;
  }

  TableMap map_;
};

TEST_F(NameColumnsTest, ATableAsItWasNamesThem) {
  EXPECT_EQ(Name({Int("id"), Varchar("a"), Json("b")}), "id a b ");
}

TEST_F(NameColumnsTest, ATableThatIsGoneOrHasMoreOrFewerColumnsDoesNot) {
  EXPECT_THAT(Name({}), HasSubstr("3 columns when the row was written and has 0 now"));
  EXPECT_THAT(Name({Int("id"), Varchar("a"), Json("b"), Int("new")}), HasSubstr("has 4 now"));
}

TEST_F(NameColumnsTest, AColumnThatIsOfAnotherKindNowIsNamedWithTheDifference) {
  EXPECT_THAT(Name({Int("id"), Json("b"), Varchar("a")}),
              HasSubstr("its column 2 was VARCHAR of 400 bytes of collation 255, NOT NULL when the"
                        " row was written; now that is 'b', json (JSON, NOT NULL)"));
  EXPECT_THAT(Name({Int("id"), Varchar("a", 404), Json("b")}),
              HasSubstr("varchar(100) (VARCHAR of 404 bytes of collation 255, NOT NULL)"));
  EXPECT_THAT(Name({Int("id", "int unsigned"), Varchar("a"), Json("b")}),
              HasSubstr("column 1 was INT, NOT NULL when the row was written; now that is 'id', int"
                        " unsigned (INT UNSIGNED, NOT NULL)"));
  auto other_collation = Varchar("a");
  other_collation.collation = 8;
  EXPECT_THAT(Name({Int("id"), other_collation, Json("b")}),
              HasSubstr("varchar(100) (VARCHAR of 400 bytes of collation 8, NOT NULL)"));
  auto nullable = Json("b");
  nullable.nullable = true;
  EXPECT_THAT(Name({Int("id"), Varchar("a"), nullable}),
              HasSubstr("column 3 was JSON, NOT NULL when the row was written; now that is 'b',"
                        " json (JSON)"));
}

TEST_F(NameColumnsTest, AnUnknownTypeIsNoMatch) {
  EXPECT_THAT(Name({Int("id"), Varchar("a"), {.name = "b", .type = "quaternion"}}),
              HasSubstr("quaternion"));
}

TEST_F(NameColumnsTest, AWantedColumnWithATwinMayHaveChangedPlacesWithIt) {
  TableMapBytes bytes;
  bytes.Column(kLongType).Column(kVarcharType, {144, 1}).Column(kVarcharType, {144, 1});
  map_ = TableMap::Parse(bytes.Optional(1, {0}).Optional(2, {0xFC, 255, 0}).bytes()).value();
  const std::vector<ColumnFacts> today = {Int("id"), Varchar("a"), Varchar("b")};
  EXPECT_THAT(Name(today, {"id", "b"}), HasSubstr("'b' and 'a' are both varchar(100)"));
  EXPECT_EQ(Name(today, {"id"}), "id a b ");  // The twins are not wanted.
}

TEST(TakeSignsTest, ADeclaredColumnWithoutSignHasThatOfTheTable) {
  TableMapBytes bytes;
  auto map =
      TableMap::Parse(bytes.Column(kLongType).Column(kVarcharType, {144, 1}).bytes()).value();
  ASSERT_FALSE(map.has_signedness);
  map.columns[0].name = "id";
  map.columns[1].name = "a";
  const std::vector<std::string> wanted = {"id", "a"};
  ASSERT_TRUE(TakeSigns(std::vector{Varchar("a"), Int("id", "int unsigned")}, wanted, map));
  EXPECT_TRUE(map.has_signedness);
  EXPECT_TRUE(map.columns[0].is_unsigned);
  EXPECT_EQ(map.columns[1].collation, kUtf8mb4);
}

TEST(TakeSignsTest, AColumnOfAnotherTypeOrLengthIsNamedWithTheDifference) {
  auto map =
      TableMap::Parse(TableMapBytes().Column(kLongType).Column(kVarcharType, {144, 1}).bytes())
          .value();
  map.columns[0].name = "id";
  map.columns[1].name = "a";
  const auto refused = [&](const std::vector<ColumnFacts>& today, const std::string& name) {
    const auto taken = TakeSigns(today, std::vector{name}, map);
    return taken ? "taken" : taken.error().message;
  };
  EXPECT_EQ(refused({Int("id", "bigint")}, "id"),
            "its column 'id' was INT, NOT NULL when the row was written and is bigint (BIGINT, NOT"
            " NULL) now");
  EXPECT_EQ(refused({Varchar("a", 404)}, "a"),
            "its column 'a' was VARCHAR of 400 bytes, NOT NULL when the row was written and is"
            " varchar(100) (VARCHAR of 404 bytes of collation 255, NOT NULL) now");
  EXPECT_THAT(refused({}, "a"), HasSubstr("and is gone now"));
}

TEST(TakeSignsTest, NullTellsNothingOfSignsAndCollations) {
  auto map = TableMap::Parse(TableMapBytes().Column(kVarcharType, {144, 1}).bytes()).value();
  map.columns[0].name = "a";
  auto nullable = Varchar("a");
  nullable.nullable = true;
  ASSERT_TRUE(TakeSigns(std::vector{nullable}, std::vector<std::string>{"a"}, map));
  EXPECT_EQ(map.columns[0].collation, kUtf8mb4);
  EXPECT_FALSE(map.columns[0].nullable);
}

class TakeKindsTest : public testing::Test {
 protected:
  TakeKindsTest() {
    TableMapBytes bytes;
    bytes.Column(kLongType).Column(kVarcharType, {144, 1}).Column(kJsonType, {4});
    map_ = TableMap::Parse(bytes.bytes()).value();
    for (std::size_t i = 0; i < wanted_.size(); ++i) map_.columns[i].name = wanted_[i];
  }
  // The columns whose kind is still to be told.
  std::vector<std::string> Take(const std::vector<std::string>& kinds) {
    const auto unknown = TakeKinds(kinds, wanted_, map_);
    if (!unknown) return {unknown.error().message};
    return *unknown;
  }

  const std::vector<std::string> wanted_ = {"id", "a", "b"};
  TableMap map_;
};

TEST_F(TakeKindsTest, WhatIsDeclaredNeedsNoTable) {
  EXPECT_THAT(Take({"unsigned", "latin1", ""}), testing::IsEmpty());
  EXPECT_TRUE(map_.has_signedness);
  EXPECT_TRUE(map_.columns[0].is_unsigned);
  EXPECT_EQ(CharacterSets().NameOf(map_.columns[1].collation), "latin1");
}

TEST_F(TakeKindsTest, WhatIsNotDeclaredIsStillToBeTold) {
  EXPECT_THAT(Take({}), testing::ElementsAre("id", "a"));
  EXPECT_FALSE(map_.has_signedness);
  EXPECT_THAT(Take({"signed", "", ""}), testing::ElementsAre("a"));
  EXPECT_THAT(Take({"", "utf8", ""}), testing::ElementsAre("id"));
  EXPECT_EQ(CharacterSets().NameOf(map_.columns[1].collation), "utf8mb3");
}

TEST_F(TakeKindsTest, AKindThatDoesNotFitIsNamed) {
  EXPECT_THAT(Take({"latin1", "", ""}),
              testing::ElementsAre(HasSubstr("'id' was INT, NOT NULL, which 'latin1' does not")));
  EXPECT_THAT(Take({"", "signed", ""}), testing::ElementsAre(HasSubstr("'a' was VARCHAR")));
  EXPECT_THAT(Take({"", "", "utf8mb4"}), testing::ElementsAre(HasSubstr("'b' was JSON")));
}

TEST(IsColumnKindTest, IsASignOrACharacterSet) {
  for (const char* kind : {"signed", "unsigned", "utf8", "utf8mb4", "latin1", "binary"}) {
    EXPECT_TRUE(IsColumnKind(kind)) << kind;
  }
  for (const char* kind : {"", "int", "utf9", "UNSIGNED"}) EXPECT_FALSE(IsColumnKind(kind)) << kind;
}

TEST(FindTwinsTest, TellsWhetherALogWithoutNamesCanBeRead) {
  const std::vector<ColumnFacts> table = {Int("id"), Int("n", "int unsigned"), Varchar("a"),
                                          Varchar("b")};
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(FindTwins(table, std::vector<std::string>{"id", "n"}, true), std::nullopt);
  EXPECT_EQ(FindTwins(table, std::vector<std::string>{"id", "a"}, true), Pair("a", "b"));
  EXPECT_EQ(FindTwins(table, std::vector<std::string>{"id"}, false), Pair("id", "n"));
}

}  // namespace
}  // namespace outboxd::binlog
