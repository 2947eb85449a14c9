#include "daemon/mapping/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using binlog::ValueKind;
using testing::HasSubstr;

std::string Outcome(std::string_view text, std::optional<std::string_view> value,
                    ValueKind kind = ValueKind::kText) {
  UsedColumns columns;
  auto condition = Condition::Parse(text, columns);
  if (!condition) return condition.error().message;
  const std::vector<binlog::ColumnValue> values(columns.names().size(), value);
  const std::vector<ValueKind> kinds(values.size(), kind);
  const binlog::Row row{
      .selection = 0, .schema_name = "s", .table_name = "t", .values = values, .kinds = kinds};
  const auto holds = condition->Holds({row});
  if (!holds) return "bad: " + holds.error().message;
  return *holds ? "yes" : "no";
}

TEST(ConditionTest, ComparesTextByBytes) {
  EXPECT_EQ(Outcome("a = new", "new"), "yes");
  EXPECT_EQ(Outcome("a = New", "new"), "no");
  EXPECT_EQ(Outcome("a='it''s'", "it's"), "yes");
  EXPECT_EQ(Outcome("a != new", "old"), "yes");
  EXPECT_EQ(Outcome("a <> new", "new"), "no");
  EXPECT_EQ(Outcome("a < b", "a"), "yes");
  EXPECT_EQ(Outcome("a >= b", "b"), "yes");
  EXPECT_EQ(Outcome("a = 1", "01"), "no");
}

TEST(ConditionTest, ComparesNumbersAsNumbers) {
  EXPECT_EQ(Outcome("a = 1", "01", ValueKind::kNumber), "yes");
  EXPECT_EQ(Outcome("a < 10", "9", ValueKind::kNumber), "yes");
  EXPECT_EQ(Outcome("a <= 1.5", "1.50", ValueKind::kNumber), "yes");
  EXPECT_EQ(Outcome("a > 9223372036854775806", "9223372036854775807", ValueKind::kNumber), "yes");
  EXPECT_EQ(Outcome("a->$.n = 0", R"({"n":0})", ValueKind::kJson), "yes");
}

TEST(ConditionTest, NullFitsOnlyIsNull) {
  for (const char* text : {"a = x", "a != x", "a in (x)", "a not in (x)", "a like %",
                           "a not like %", "a is not null"}) {
    EXPECT_EQ(Outcome(text, std::nullopt), "no") << text;
  }
  EXPECT_EQ(Outcome("a is null", std::nullopt), "yes");
  EXPECT_EQ(Outcome("a IS NULL", ""), "no");
  EXPECT_EQ(Outcome("a is not null", ""), "yes");
  EXPECT_EQ(Outcome("a->$.gone is null", "{}", ValueKind::kJson), "yes");
  EXPECT_EQ(Outcome("a->$.none is null", R"({"none":null})", ValueKind::kJson), "yes");
}

// The text is an application's, or an attacker's.
TEST(ConditionTest, APatternTakesNoLongerForItsManyPercentSigns) {
  const std::string text(2000, 'a');
  EXPECT_EQ(Outcome("a like %a%a%a%a%a%a%b", text), "no");
  EXPECT_EQ(Outcome("a like %a%a%a%a%a%a%a", text), "yes");
}

TEST(ConditionTest, ListsAndPatterns) {
  EXPECT_EQ(Outcome("a in (x, 'y,)', z)", "y,)"), "yes");
  EXPECT_EQ(Outcome("a not in (x, y)", "z"), "yes");
  EXPECT_EQ(Outcome("a like %Kafka%", "to Kafka now"), "yes");
  EXPECT_EQ(Outcome("a like a_c", "aéc"), "yes");
  EXPECT_EQ(Outcome("a like a_c", "ac"), "no");
  EXPECT_EQ(Outcome("a like 'a\\%'", "a%"), "yes");
  EXPECT_EQ(Outcome("a like 'a\\%'", "ab"), "no");
  EXPECT_EQ(Outcome("a not like x%", "y"), "yes");
}

TEST(ConditionTest, WhatCannotBeToldIsABadEvent) {
  EXPECT_THAT(Outcome("a->$.n = 0", "nope"), HasSubstr("bad: column 'a': is not JSON"));
}

TEST(ConditionTest, SaysWhatIsWrong) {
  EXPECT_THAT(Outcome("a", ""), HasSubstr("has no comparison at ''"));
  EXPECT_THAT(Outcome("a ~ b", ""), HasSubstr("has no comparison at '~ b'"));
  EXPECT_THAT(Outcome("a =", ""), HasSubstr("lacks a value"));
  EXPECT_THAT(Outcome("a = 'x", ""), HasSubstr("lacks the quote"));
  EXPECT_THAT(Outcome("a is x", ""), HasSubstr("lacks 'null'"));
  EXPECT_THAT(Outcome("a in x", ""), HasSubstr("lacks a '('"));
  EXPECT_THAT(Outcome("a in (x", ""), HasSubstr("lacks a ')'"));
  EXPECT_THAT(Outcome("a = 'x' and b = y", ""), HasSubstr("has something left at 'and b = y'"));
}

}  // namespace
}  // namespace outboxd
