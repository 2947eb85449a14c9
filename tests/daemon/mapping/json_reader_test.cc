#include "daemon/mapping/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

JsonPath PathOf(std::string_view text) {
  auto path = JsonPath::Take(text);
  EXPECT_TRUE(path.has_value()) << path.error().message;
  EXPECT_EQ(text, "");
  return *path;
}

class JsonReaderTest : public testing::Test {
 protected:
  std::string Find(std::string_view json, std::string_view path) {
    const auto found = reader_.Find(json, PathOf(path));
    if (!found) return "error: " + found.error().message;
    if (!*found) return "nothing";
    if ((*found)->kind == JsonPart::Kind::kNull) return "null";
    const bool is_string = (*found)->kind == JsonPart::Kind::kString;
    return (is_string ? "string " : "") + std::string((*found)->text);
  }

  JsonReader reader_;
};

TEST_F(JsonReaderTest, FindsWhatStandsAtAPath) {
  constexpr std::string_view kJson =
      R"({"a": {"b c": [10, {"d": "text \u00e9\n"}]}, "e": null, "f~/": true})";
  EXPECT_EQ(Find(kJson, R"($.a."b c"[0])"), "10");
  EXPECT_EQ(Find(kJson, R"($.a."b c"[1].d)"), "string text é\n");
  EXPECT_EQ(Find(kJson, R"($.a."b c"[1])"), R"({"d": "text \u00e9\n"})");
  EXPECT_EQ(Find(kJson, "$.e"), "null");
  EXPECT_EQ(Find(kJson, R"($."f~/")"), "true");
  EXPECT_EQ(Find(kJson, "$.a.x"), "nothing");
  EXPECT_EQ(Find(kJson, "$.e.x"), "nothing");
  EXPECT_EQ(Find(kJson, R"($.a."b c"[2])"), "nothing");
  EXPECT_EQ(Find(kJson, "$"), kJson);
}

TEST_F(JsonReaderTest, AWholeDocumentMayBeAScalar) {
  EXPECT_EQ(Find(" 17 ", "$"), "17");
  EXPECT_EQ(Find(R"("x")", "$"), "string x");
  EXPECT_EQ(Find("null", "$"), "null");
  EXPECT_EQ(Find("17", "$.a"), "nothing");
}

TEST_F(JsonReaderTest, NumbersStayAsTheyAreWritten) {
  constexpr std::string_view kLarge = "1234567890123456789012345678901234567890.10";
  EXPECT_EQ(Find(fmt::format(R"({{"n":{}}})", kLarge), "$.n"), kLarge);
  EXPECT_EQ(Find(R"({"n":1e999 , "m":1})", "$.n"), "1e999");
}

TEST_F(JsonReaderTest, WhatIsNoJsonIsAnError) {
  for (const std::string_view json : {"", "  ", "{", R"({"a":)", "nope", R"({"a":"\xff"})"}) {
    EXPECT_THAT(Find(json, "$.a"), HasSubstr("is not JSON")) << json;
  }
  EXPECT_TRUE(CheckJson(R"({"a":[1,12345678901234567890123]})"));
  EXPECT_FALSE(CheckJson(R"({"a":1,})"));
  EXPECT_FALSE(CheckJson(R"({"a":1} x)"));
}

TEST_F(JsonReaderTest, TakesMembersInOrder) {
  std::vector<JsonReader::Member> members;
  ASSERT_TRUE(reader_.Members(R"({"b\u0031":"x","a":[1, 2],"n":null})", members));
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].name, "b1");
  EXPECT_EQ(members[0].part.text, "x");
  EXPECT_EQ(members[1].part.text, "[1, 2]");
  EXPECT_EQ(members[2].part.kind, JsonPart::Kind::kNull);
  EXPECT_FALSE(reader_.Members("[1]", members));
  EXPECT_FALSE(reader_.Members(R"({"a":1} {)", members));
}

TEST_F(JsonReaderTest, TakesElementsInOrder) {
  std::vector<JsonPart> elements;
  ASSERT_TRUE(reader_.Elements(R"([{"a":1}, "x", 2])", elements));
  std::vector<std::string> texts;
  for (const JsonPart& element : elements) texts.emplace_back(element.text);
  EXPECT_THAT(texts, ElementsAre(R"({"a":1})", "x", "2"));
  EXPECT_FALSE(reader_.Elements(R"({"a":1})", elements));
}

TEST(JsonPathTest, EndsWhereItsStepsEnd) {
  std::string_view text = "$.a[3] | id";
  EXPECT_EQ(JsonPath::Take(text)->text(), "$.a[3]");
  EXPECT_EQ(text, " | id");
}

TEST(JsonPathTest, NamesTheStepThatIsWrong) {
  for (std::string_view text : {"a", "$.", "$[x]", "$[1", "$.*", "$.\"a", "$[*]", "$**.a"}) {
    const std::string whole(text);
    const auto path = JsonPath::Take(text);
    EXPECT_TRUE(!path.has_value() || !text.empty()) << whole;
  }
  std::string_view text = "$.a[x]";
  EXPECT_THAT(JsonPath::Take(text).error().message, HasSubstr("'[x]' is no step"));
}

}  // namespace
}  // namespace outboxd
