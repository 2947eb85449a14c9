#include "binlog/table_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace outboxd::binlog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IndexColumn Part(std::string index, std::string name, std::string type = "int") {
  return {.index = std::move(index),
          .column = {.name = std::move(name), .type = std::move(type), .collation = {}},
          .is_unique = true,
          .is_tree = true,
          .is_visible = true};
}

KeyColumn Column(std::string type, std::string collation = {}, bool is_descending = false) {
  return {.name = "k",
          .type = std::move(type),
          .collation = std::move(collation),
          .is_descending = is_descending};
}

KeyPlace PlaceOf(const KeyColumn& column, std::string_view value) {
  KeyPlace place;
  const auto appended = KeyColumnOrder(column).Append(value, place);
  EXPECT_TRUE(appended) << column.type << " " << value;
  return place;
}

KeyPlace PlaceOfWeights(const KeyColumn& column, std::string_view weights, std::string_view space) {
  KeyPlace place;
  KeyColumnOrder(column).AppendWeights(weights, space, place);
  return place;
}

// `values`: in the server's order, no two of them the same.
void ExpectOrder(const KeyColumn& column, const std::vector<std::string>& values) {
  KeyColumn descending = column;
  descending.is_descending = true;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const std::string& less = values[i - 1];
    const std::string& more = values[i];
    EXPECT_LT(PlaceOf(column, less), PlaceOf(column, more)) << column.type << less << more;
    EXPECT_GT(PlaceOf(descending, less), PlaceOf(descending, more)) << column.type << less << more;
    EXPECT_LT(PlaceOf(column, less) + "\xFF", PlaceOf(column, more)) << column.type << less << more;
  }
}

void ExpectSame(const KeyColumn& column, std::string_view a, std::string_view b) {
  EXPECT_EQ(PlaceOf(column, a), PlaceOf(column, b)) << column.type << " " << a << " " << b;
}

TEST(ChooseKeyTest, PrefersThePrimaryKey) {
  const auto key = ChooseKey(
      std::vector{Part("A", "a"), Part("PRIMARY", "b"), Part("PRIMARY", "c"), Part("Z", "a")});
  EXPECT_EQ(key.index, "PRIMARY");
  EXPECT_THAT(key.columns, ElementsAre(testing::Field(&KeyColumn::name, "b"),
                                       testing::Field(&KeyColumn::name, "c")));
}

TEST(ChooseKeyTest, TakesTheUniqueIndexOfTheFewestColumns) {
  const auto key =
      ChooseKey(std::vector{Part("A", "a"), Part("A", "b"), Part("B", "c"), Part("C", "d")});
  EXPECT_EQ(key.index, "B");
}

TEST(ChooseKeyTest, TakesNoIndexThatCannotBeReadInOrder) {
  std::vector<IndexColumn> all;
  all.push_back(Part("A", "a"));
  all.back().is_unique = false;
  all.push_back(Part("B", "a"));
  all.back().is_tree = false;
  all.push_back(Part("C", "a"));
  all.back().is_visible = false;
  all.push_back(Part("D", "a"));
  all.back().has_prefix = true;
  all.push_back(Part("E", "a"));
  all.push_back(Part("E", "b"));
  all.back().is_nullable = true;
  all.push_back(Part("F", ""));
  all.push_back(Part("G", "a", "geometry"));
  all.push_back(Part("H", "a", "varchar(9)"));
  all.back().column.collation = "big5_chinese_ci";
  all.push_back(Part("I", "a", "varchar(9)"));
  all.back().column.collation = "sjis_bin";
  EXPECT_THAT(ChooseKey(all).columns, IsEmpty());
  EXPECT_EQ(ChooseKey(all).index, "");
}

TEST(KeyColumnOrderTest, OrdersNumbers) {
  ExpectOrder(Column("bigint"),
              {"-9223372036854775808", "-10", "-9", "-1", "0", "9", "10", "9223372036854775807"});
  ExpectOrder(Column("bigint unsigned"), {"0", "9", "10", "18446744073709551615"});
  ExpectOrder(Column("decimal(10,2)"), {"-10.00", "-9.99", "-0.01", "0.00", "0.01", "9.99", "10"});
  ExpectOrder(Column("float"), {"-3.4e38", "-1", "0", "1e-40", "0.1", "3.4e38"});
  ExpectOrder(Column("double"), {"-1.7e308", "-5e-324", "0", "5e-324", "1e15", "1.7e308"});
  ExpectOrder(Column("enum('b','a')"), {"0", "1", "2", "10"});
  ExpectOrder(Column("year"), {"0000", "1901", "2155"});
  ExpectOrder(Column("bit(12)"), {{"\0\0", 2}, {"\0\xFF", 2}, {"\1\0", 2}});
}

TEST(KeyColumnOrderTest, TakesOtherTextsOfANumberForTheSame) {
  ExpectSame(Column("int unsigned"), "42", "0000000042");
  ExpectSame(Column("decimal(10,2)"), "-0.00", "0");
  ExpectSame(Column("decimal(10,2)"), "00012.50", "12.5");
  ExpectSame(Column("double"), "-0", "0");
  ExpectSame(Column("float"), "0.1", "0.10000000149011612");
  ExpectSame(Column("bit(12)"), {"\0\5", 2}, "\5");
}

TEST(KeyColumnOrderTest, OrdersTimes) {
  ExpectOrder(Column("time(6)"),
              {"-838:59:59.000000", "-100:00:00.000000", "-99:00:00.000000", "-00:00:00.000001",
               "00:00:00.000000", "00:00:00.000001", "99:00:00.000000", "838:59:59.000000"});
  ExpectSame(Column("time"), "-01:00:00", "-01:00:00.0");
  ExpectOrder(Column("datetime(3)"), {"0000-00-00 00:00:00.000", "2015-00-31 00:00:00.001",
                                      "2015-01-00 00:00:00.000", "9999-12-31 23:59:59.999"});
}

TEST(KeyColumnOrderTest, OrdersBytes) {
  ExpectOrder(Column("varbinary(9)"), {"", {"\0", 1}, {"\0\0", 2}, "a", {"a\0", 2}, "a ", "\xFF"});
  ExpectOrder(Column("binary(3)"), {"", "a", {"a\0\1", 3}, "a ", "\xFF"});
  ExpectSame(Column("binary(3)"), "a", {"a\0", 2});
}

TEST(KeyColumnOrderTest, PadsTextWithBlanksWhereTheCollationDoes) {
  for (const char* collation : {"utf8mb4_bin", "utf8mb3_bin", "utf8_bin", "ascii_bin"}) {
    const KeyColumn column = Column("varchar(9)", collation);
    ExpectOrder(column, {"\t a", "\n", " \1", "", "a\t", "a", "a  a", "aa"});
    ExpectSame(column, "a", "a  ");
    ExpectSame(column, "", " ");
  }
  ExpectOrder(Column("varchar(9)", "utf8mb4_0900_bin"), {"", "\t", "a", "a\t", "a ", "a  ", "aa"});
  ExpectSame(Column("char(9)", "utf8mb4_0900_bin"), "a", "a  ");
}

TEST(KeyColumnOrderTest, AsksForWeightsWhereTheOrderIsTheServersOwn) {
  const KeyColumnOrder insensitive(Column("char(36)", "utf8mb4_0900_ai_ci"));
  EXPECT_TRUE(insensitive.takes_weights());
  EXPECT_TRUE(insensitive.TakesWeights("a"));
  KeyPlace place;
  EXPECT_EQ(insensitive.Append("a", place).error().kind, ErrorKind::kUndecodable);
  const KeyColumnOrder latin1(Column("char(36)", "latin1_bin"));
  EXPECT_TRUE(latin1.takes_weights());
  EXPECT_FALSE(latin1.TakesWeights("a"));
  EXPECT_TRUE(latin1.TakesWeights("\xC3\xA4"));
  EXPECT_EQ(PlaceOf(Column("char(36)", "latin1_bin"), "ab"),
            PlaceOfWeights(Column("char(36)", "latin1_bin"), "ab   ", " "));
}

TEST(KeyColumnOrderTest, PadsWeightsWithThoseOfABlank) {
  const KeyColumn padded = Column("varchar(9)", "utf8mb4_unicode_ci");
  const std::string space = "\x02\x09";
  const auto place = [&](std::string_view weights) {
    return PlaceOfWeights(padded, weights, space);
  };
  EXPECT_EQ(place("\x0E\x33\x02\x09\x02\x09"), place("\x0E\x33"));
  EXPECT_LT(place("\x0E\x33\x02\x01"), place("\x0E\x33"));
  EXPECT_GT(place("\x0E\x33\x02\x09\x0E\x33"), place("\x0E\x33"));
  const KeyColumn plain = Column("varchar(9)", "utf8mb4_0900_ai_ci");
  EXPECT_GT(PlaceOfWeights(plain, "\x1C\x47\x02\x01", space),
            PlaceOfWeights(plain, "\x1C\x47", space));
}

TEST(KeyColumnOrderTest, RejectsWhatIsNoValueOfTheType) {
  KeyPlace place;
  for (const auto& [type, value] :
       std::vector<std::pair<std::string, std::string>>{{"int", "1x"},
                                                        {"int", ""},
                                                        {"int unsigned", "-1"},
                                                        {"decimal(4,2)", "123.00"},
                                                        {"decimal(4,2)", "1.234"},
                                                        {"decimal(4,2)", "a"},
                                                        {"double", "one"},
                                                        {"time", "10"},
                                                        {"time", "10:00"},
                                                        {"time", "10:00:0x"},
                                                        {"time(6)", "10:00:00.0000001"},
                                                        {"binary(2)", "abc"},
                                                        {"bit(64)", "123456789"}}) {
    const auto appended = KeyColumnOrder(Column(type)).Append(value, place);
    ASSERT_FALSE(appended) << type << " " << value;
    EXPECT_EQ(appended.error().kind, ErrorKind::kUndecodable);
  }
}

}  // namespace
}  // namespace outboxd::binlog
