#include "daemon/mapping/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace outboxd {
namespace {

using binlog::ValueKind;
using testing::ElementsAre;
using testing::HasSubstr;

class ExpressionTest : public testing::Test {
 protected:
  struct Field {
    std::optional<std::string> value;
    ValueKind kind = ValueKind::kText;
  };

  // The value, "NULL", or the error.
  std::string Value(std::string_view text, bool if_there = false) {
    UsedColumns columns;
    auto expression = Expression::Parse(text, columns);
    if (!expression) return "refused: " + expression.error().ToText();
    std::vector<binlog::ColumnValue> values;
    std::vector<ValueKind> kinds;
    std::vector<std::string> names = columns.names();
    for (const auto& [name, field] : fields_) {
      if (columns.whole_row()) names.push_back(name);
    }
    for (const std::string& name : names) {
      const Field& field = fields_.at(name);
      values.push_back(field.value ? binlog::ColumnValue(*field.value) : std::nullopt);
      kinds.push_back(field.kind);
    }
    const binlog::Row row{.selection = 0,
                          .schema_name = "shop",
                          .table_name = "outbox_eu",
                          .values = values,
                          .columns = names,
                          .kinds = kinds};
    const RowInHand in_hand{row, columns.names().size(),
                            MappedValue{R"({"Id":7})", ValueKind::kJson}};
    const auto value =
        if_there ? expression->EvaluateIfThere(in_hand) : expression->Evaluate(in_hand);
    if (!value) return "bad: " + value.error().ToText();
    if (!*value) return "NULL";
    kind_ = (*value)->kind;
    return std::string((*value)->text);
  }

  std::map<std::string, Field> fields_ = {
      {"id", {"e-1"}},
      {"n", {"42", ValueKind::kNumber}},
      {"empty", {""}},
      {"missing", {std::nullopt}},
      {"my col", {"odd"}},
      {"uuid-col", {"dashed"}},
      {"doc", {R"({"key":"k1","none":null,"deep":{"list":[1,"two"]}})", ValueKind::kJson}},
      {"text", {"not json"}},
      {"bytes",
       {std::string("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16),
        ValueKind::kBytes}}};
  ValueKind kind_{};
};

TEST_F(ExpressionTest, AColumnIsItsValueAndKind) {
  EXPECT_EQ(Value("n"), "42");
  EXPECT_EQ(kind_, ValueKind::kNumber);
  EXPECT_EQ(Value("missing"), "NULL");
  EXPECT_EQ(Value("`my col`"), "odd");
  EXPECT_EQ(Value("uuid-col"), "dashed");
  EXPECT_EQ(Value("{n}"), "42");
  EXPECT_EQ(kind_, ValueKind::kNumber);
}

TEST_F(ExpressionTest, TheWholeRowIsAnObjectOfAllColumns) {
  fields_ = {{"a", {"x\"y"}},
             {"b", {"1.50", ValueKind::kNumber}},
             {"c", {R"({"k": 1})", ValueKind::kJson}},
             {"d", {"\xFF", ValueKind::kBytes}},
             {"e", {std::nullopt}}};
  const std::string row = R"({"a":"x\"y","b":1.50,"c":{"k": 1},"d":"/w==","e":null})";
  EXPECT_EQ(Value("@row"), row);
  EXPECT_EQ(kind_, ValueKind::kJson);
  EXPECT_EQ(Value("e | a | @row"), "x\"y") << "with columns by name before it";
  EXPECT_EQ(Value("e | @row"), row);
  EXPECT_EQ(Value("@row->$.c.k"), "1");
}

TEST_F(ExpressionTest, TheFirstTermThatIsNotNullCounts) {
  EXPECT_EQ(Value("missing | id"), "e-1");
  EXPECT_EQ(Value("missing|empty|id"), "");
  EXPECT_EQ(Value("missing | 'it''s'"), "it's");
  EXPECT_EQ(Value("missing | null"), "NULL");
}

TEST_F(ExpressionTest, PathsReadJson) {
  EXPECT_EQ(Value("doc->$.key"), "k1");
  EXPECT_EQ(kind_, ValueKind::kText);
  EXPECT_EQ(Value("doc->'$.deep.list[1]'"), "two");
  EXPECT_EQ(Value("doc->>\"$.deep.list[0]\""), "1");
  EXPECT_EQ(Value("doc -> $.deep"), R"({"list":[1,"two"]})");
  EXPECT_EQ(kind_, ValueKind::kJson);
  EXPECT_EQ(Value("doc->$.deep->$.list[1]"), "two");
  EXPECT_EQ(Value("@item->$.Id"), "7");
  EXPECT_EQ(Value("missing->$.a"), "NULL");
}

TEST_F(ExpressionTest, APathThatLeadsNowhereIsABadEventUnlessAnotherTermFollows) {
  EXPECT_THAT(Value("doc->$.other"), HasSubstr("bad: column 'doc'->$.other: there is nothing"));
  EXPECT_EQ(Value("doc->$.other | id"), "e-1");
  EXPECT_EQ(Value("doc->$.other | null"), "NULL");
  EXPECT_THAT(Value("doc->$.x | doc->$.y"), HasSubstr("doc'->$.y: there is nothing"));
  EXPECT_EQ(Value("doc->$.none"), "NULL");
  EXPECT_EQ(Value("doc->$.other", true), "NULL");
  EXPECT_EQ(Value("upper(doc->$.other)", true), "NULL");
  EXPECT_THAT(Value("upper(doc->$.other)"), HasSubstr("bad: "));
}

TEST_F(ExpressionTest, JsonThatIsNoneIsABadEvent) {
  EXPECT_THAT(Value("text->$.a"), HasSubstr("bad: column 'text': is not JSON"));
  EXPECT_THAT(Value("text->$.a | id"), HasSubstr("bad: "));
  EXPECT_THAT(Value("json(text)"), HasSubstr("bad: column 'text': is not JSON"));
}

TEST_F(ExpressionTest, TextJoinsItsParts) {
  EXPECT_EQ(Value("a.{id}-{ doc->$.key | id }.{{x}}"), "a.e-1-k1.{x}");
  EXPECT_EQ(Value("{id}{n}{empty}"), "e-142");
  EXPECT_EQ(kind_, ValueKind::kText);
  EXPECT_THAT(Value("a{missing}"), HasSubstr("bad: column 'missing' is NULL"));
  EXPECT_EQ(Value("a{missing | 'x'}"), "ax");
  EXPECT_EQ(Value("{@schema}.{@table}"), "shop.outbox_eu");
}

// Expected: SELECT BIN_TO_UUID(x), BIN_TO_UUID(x, 1), HEX(x), TO_BASE64(x), FROM_BASE64(...).
TEST_F(ExpressionTest, FunctionsAreThoseOfMysql) {
  EXPECT_EQ(Value("uuid(bytes)"), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(Value("uuid-swapped(bytes)"), "44556677-2233-0011-8899-aabbccddeeff");
  EXPECT_EQ(Value("hex(bytes)"), "00112233445566778899AABBCCDDEEFF");
  EXPECT_EQ(Value("base64(bytes)"), "ABEiM0RVZneImaq7zN3u/w==");
  EXPECT_EQ(Value("unbase64('aGV5\ng==')"), "bad: 'aGV5\ng==': is not Base64");
  EXPECT_EQ(Value("unbase64('aG\nV5')"), "hey");
  EXPECT_EQ(kind_, ValueKind::kBytes);
  EXPECT_EQ(Value("upper(lower('AbÉ'))"), "ABÉ");
  EXPECT_EQ(Value("quote('a\"b')"), R"("a\"b")");
  EXPECT_EQ(Value("string(doc->$.deep)"), R"({"list":[1,"two"]})");
  EXPECT_EQ(kind_, ValueKind::kText);
  EXPECT_EQ(Value("quote(n)"), "42");
  fields_["n"] = {"0042", ValueKind::kNumber};
  EXPECT_EQ(Value("quote(n)"), "42") << "of a ZEROFILL column, as SELECT shows it";
  EXPECT_EQ(Value("quote(bytes)"), R"("ABEiM0RVZneImaq7zN3u/w==")");
  EXPECT_EQ(Value("quote(doc->$.deep)"), R"("{\"list\":[1,\"two\"]}")");
  EXPECT_EQ(Value("iso8601('2026-03-04 05:06:07.890')"), "2026-03-04T05:06:07.890Z");
  EXPECT_THAT(Value("iso8601('2026-03-04')"), HasSubstr("bad: '2026-03-04': is no date with time"));
  EXPECT_EQ(Value("properties('#c\nb = 1\na\\:x = \"y\"')"), R"({"a:x":"\"y\"","b":"1"})");
  EXPECT_EQ(kind_, ValueKind::kJson);
  EXPECT_EQ(Value("properties('traceparent=00-1-2-01')->$.traceparent"), "00-1-2-01");
  EXPECT_THAT(Value("string(bytes)"), HasSubstr("bad: column 'bytes': is not UTF-8"));
  EXPECT_EQ(Value("uuid(missing)"), "NULL");
  EXPECT_THAT(Value("uuid(id)"), HasSubstr("bad: column 'id': a UUID has 16 bytes, this has 3"));
}

TEST_F(ExpressionTest, FunctionsThatExpandMakeJsonOfEverything) {
  fields_["nulls"] = {R"({"a":null,"b":[],"c":1})", ValueKind::kJson};
  EXPECT_EQ(Value("expand(nulls)"), R"({"c":1})");
  EXPECT_EQ(kind_, ValueKind::kJson);
  EXPECT_EQ(Value("expand-nulls(nulls)"), R"({"a":null,"c":1})");
  EXPECT_EQ(Value("expand-arrays(nulls)"), R"({"b":[],"c":1})");
  EXPECT_EQ(Value("expand-all(nulls)"), R"({"a":null,"b":[],"c":1})");
  EXPECT_EQ(Value("expand(doc->$.key)"), R"("k1")");
  EXPECT_EQ(Value("expand(text)"), R"("not json")");
  EXPECT_EQ(kind_, ValueKind::kJson);
  EXPECT_EQ(Value("expand(n)"), "42");
  EXPECT_EQ(Value("expand(bytes)"), R"("ABEiM0RVZneImaq7zN3u/w==")");
  EXPECT_EQ(kind_, ValueKind::kJson);
  EXPECT_EQ(Value("expand(missing)"), "NULL");
}

TEST_F(ExpressionTest, EachColumnIsReadOnce) {
  UsedColumns columns;
  ASSERT_TRUE(Expression::Parse("a | B | A->$.x", columns));
  ASSERT_TRUE(Expression::ParseText("{b}.{c}", columns));
  EXPECT_THAT(columns.names(), ElementsAre("a", "B", "c"));
}

// So that reading and evaluating it takes no more of the stack than is there.
TEST_F(ExpressionTest, AHundredFunctionsAndPathsMayStandAroundOneValue) {
  const auto nested = [](std::size_t functions, std::size_t paths) {
    std::string text;
    for (std::size_t i = 0; i < functions; ++i) text += "upper(";
    text += "doc";
    for (std::size_t i = 0; i < paths; ++i) text += "->$";
    return text + std::string(functions, ')');
  };
  constexpr const char* kRefused =
      "refused: has more than 100 functions and paths around one value";
  EXPECT_THAT(Value(nested(100, 0)), testing::StartsWith(R"({"KEY":"K1")"));
  EXPECT_EQ(Value(nested(0, 100)), *fields_["doc"].value);
  EXPECT_THAT(Value(nested(50, 50)), testing::StartsWith(R"({"KEY":"K1")"));
  EXPECT_THAT(Value(nested(1, 0) + " | " + nested(100, 0)), testing::StartsWith(R"({"KEY")"));
  constexpr std::pair<std::size_t, std::size_t> kTooDeep[] = {
      {101, 0}, {0, 101}, {51, 50}, {1'000'000, 0}, {0, 1'000'000}};
  for (const auto& [functions, paths] : kTooDeep) {
    EXPECT_EQ(Value(nested(functions, paths)), kRefused) << functions << " and " << paths;
    EXPECT_EQ(Value("{id | id}-{id | " + nested(functions, paths) + "}"), kRefused);
  }
}

TEST_F(ExpressionTest, SaysWhatIsWrong) {
  const std::map<std::string, std::string> wrong = {
      {"", "there is no term at its end"},
      {"a |", "there is no term at its end"},
      {"a b", "has something left at 'b'"},
      {"'a", "'a has no end"},
      {"`", "` has no end"},
      {"``", "there is no column's name before its end"},
      {"uid(a)", "there is no function 'uid' HINT: uuid, uuid-swapped, "},
      {"uuid(a", "there is no ')' before its end"},
      {"@rows", "there is no '@rows' HINT: @schema, @table, @item, @row"},
      {"a->b", "'b' is no JSON path"},
      {"a->'$.b", "there is no closing quote before its end"},
      {"{a", "there is no '}' before its end"},
      {"{a}}", "there is no '{' for '}'"},
      {"x{}", "there is no term at '}'"},
  };
  for (const auto& [text, error] : wrong) EXPECT_THAT(Value(text), HasSubstr(error)) << text;
}

}  // namespace
}  // namespace outboxd
