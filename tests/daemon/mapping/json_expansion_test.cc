#include "daemon/mapping/json_expansion.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/mapping/json_writer.h"

namespace outboxd {
namespace {

constexpr JsonExpansionRule kIgnore;
constexpr JsonExpansionRule kNulls{.keeps_nulls = true};
constexpr JsonExpansionRule kArrays{.keeps_empty_arrays = true};
constexpr JsonExpansionRule kAll{.keeps_nulls = true, .keeps_empty_arrays = true};

// The expected texts are what Debezium's EventRouter and Kafka Connect's JsonConverter 4.1 write,
// 3.6.1 for what became of nulls, 3.7.0.Alpha2 for empty arrays, where a test does not say that
// theirs is another.
class JsonExpansionTest : public testing::Test {
 protected:
  std::string Expanded(std::string_view text, const JsonExpansionRule& rule = kIgnore) {
    std::string json;
    expander_.Append(text, rule, json);
    return json;
  }
  static std::string Quoted(std::string_view text) {
    std::string json;
    AppendJsonString(text, json);
    return json;
  }
  static std::string Repeated(std::string_view part, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += part;
    return text;
  }
  void ExpectQuoted(std::string_view text, const JsonExpansionRule& rule = kIgnore) {
    EXPECT_EQ(Expanded(text, rule), Quoted(text));
  }

  JsonExpander expander_;
};

TEST_F(JsonExpansionTest, AnObjectIsWrittenCompactInItsOrder) {
  EXPECT_EQ(Expanded(R"({ "b" : 1, "a":{"y":true , "x": [ "s", "t" ]}, "c":{} })"),
            R"({"b":1,"a":{"y":true,"x":["s","t"]},"c":{}})");
  EXPECT_EQ(Expanded("{}"), "{}");
}

TEST_F(JsonExpansionTest, NullMembersAreLeftOutUnlessTheyAreKept) {
  constexpr std::string_view kJson = R"({"a":null,"b":{"c":null},"d":1})";
  EXPECT_EQ(Expanded(kJson), R"({"b":{},"d":1})");
  EXPECT_EQ(Expanded(kJson, kNulls), R"({"a":null,"b":{"c":null},"d":1})");
  EXPECT_EQ(Expanded(kJson, kArrays), R"({"b":{},"d":1})");
}

TEST_F(JsonExpansionTest, EmptyArraysAreLeftOutUnlessTheyAreKept) {
  constexpr std::string_view kJson = R"({"a":[],"b":{"c":[]},"d":null})";
  EXPECT_EQ(Expanded(kJson), R"({"b":{}})");
  EXPECT_EQ(Expanded(kJson, kArrays), R"({"a":[],"b":{"c":[]}})");
  EXPECT_EQ(Expanded(kJson, kAll), R"({"a":[],"b":{"c":[]},"d":null})");
}

TEST_F(JsonExpansionTest, NullsInAnArrayStay) {
  EXPECT_EQ(Expanded(R"({"a":[null,1,null],"b":[{"c":1},null]})"),
            R"({"a":[null,1,null],"b":[{"c":1},null]})");
  ExpectQuoted(R"({"a":[null,null]})");
  EXPECT_EQ(Expanded(R"({"a":[null,null]})", kNulls), R"({"a":[null,null]})");
}

TEST_F(JsonExpansionTest, ArraysOfSeveralKindsStayText) {
  for (const std::string_view array :
       {R"([1,"x"])", "[true,1]", R"([{"a":1},1])", "[[1],1]", "[1,2.5]", "[1,3000000000]",
        R"([[1],["x"]])", R"([{"a":1},{"a":"x"}])", R"([{"a":[]},{"a":1}])"}) {
    for (const JsonExpansionRule& rule : {kIgnore, kAll}) {
      ExpectQuoted(fmt::format(R"({{"a":{}}})", array), rule);
    }
  }
}

TEST_F(JsonExpansionTest, OfArraysInAnArrayTheFirstHasToHaveASchema) {
  EXPECT_EQ(Expanded(R"({"a":[[1],[],[null],[2,null]]})"), R"({"a":[[1],[],[null],[2,null]]})");
  EXPECT_EQ(Expanded(R"({"a":[[[1]],[[],[2]]]})"), R"({"a":[[[1]],[[],[2]]]})");
  ExpectQuoted(R"({"a":[[],[1]]})");
  ExpectQuoted(R"({"a":[[null],[1]]})");
  EXPECT_EQ(Expanded(R"({"a":[[],["x"]]})", kArrays), R"({"a":[[],["x"]]})");
}

TEST_F(JsonExpansionTest, ObjectsInAnArrayGetTheMembersOfAll) {
  EXPECT_EQ(Expanded(R"({"a":[{"b":1},{"b":2,"c":"x"},{}]})"),
            R"({"a":[{"b":1,"c":null},{"b":2,"c":"x"},{"b":null,"c":null}]})");
  EXPECT_EQ(Expanded(R"({"a":[{"b":null},{"b":1}]})"), R"({"a":[{"b":null},{"b":1}]})");
  EXPECT_EQ(Expanded(R"({"a":[{"b":null},{"b":1}]})", kNulls), R"({"a":[{"b":null},{"b":1}]})");
  EXPECT_EQ(Expanded(R"({"a":[{"b":[]},{"b":[1]}]})"), R"({"a":[{"b":[]},{"b":[1]}]})");
  EXPECT_EQ(Expanded(R"({"a":[{"b":null},{"b":null}]})"), R"({"a":[{},{}]})");
}

// In Debezium one of the two orders, and of nested objects one of the two schemas.
TEST_F(JsonExpansionTest, ObjectsInAnArrayAreMergedInTheOrderOfAppearance) {
  EXPECT_EQ(Expanded(R"({"a":[{"b":1},{"c":2,"b":3}]})"),
            R"({"a":[{"b":1,"c":null},{"b":3,"c":2}]})");
  EXPECT_EQ(Expanded(R"({"a":[{"b":{"x":1}},{"b":{"y":2}}]})"),
            R"({"a":[{"b":{"x":1,"y":null}},{"b":{"x":null,"y":2}}]})");
}

// Debezium drops "y".
TEST_F(JsonExpansionTest, ObjectsInArraysOfAnArrayLoseNothing) {
  EXPECT_EQ(Expanded(R"({"a":[[{"x":1}],[{"y":2}]]})"),
            R"({"a":[[{"x":1,"y":null}],[{"x":null,"y":2}]]})");
}

TEST_F(JsonExpansionTest, TheLastValueOfANameStandsInTheFirstPlace) {
  EXPECT_EQ(Expanded(R"({"a":1,"b":2,"\u0061":"x"})"), R"({"a":"x","b":2})");
  EXPECT_EQ(Expanded(R"({"a":1,"a":null})"), "{}");
  EXPECT_EQ(Expanded(R"({"a":[1,"x"],"a":1})"), R"({"a":1})");
}

TEST_F(JsonExpansionTest, ObjectsOfManyMembersAreTreatedAlike) {
  nlohmann::ordered_json one, other, merged_one, merged_other;
  for (int i = 0; i < 2000; ++i) {
    const std::string name = fmt::format("n{}", i * 7919 % 2000);
    if (i % 3 != 0) one[name] = i;
    if (i % 5 != 0) other[fmt::format("n{}", i)] = i;
  }
  for (const auto& [name, value] : one.items()) {
    merged_one[name] = value;
    merged_other[name] = nullptr;
  }
  for (const auto& [name, value] : other.items()) {
    if (!merged_one.contains(name)) merged_one[name] = nullptr;
    merged_other[name] = value;
  }
  const std::string twice = R"({"n1":"first",)" + one.dump().substr(1);
  EXPECT_EQ(Expanded(fmt::format(R"({{"a":[{},{}]}})", one.dump(), other.dump())),
            fmt::format(R"({{"a":[{},{}]}})", merged_one.dump(), merged_other.dump()));
  EXPECT_EQ(nlohmann::json::parse(Expanded(twice)), nlohmann::json::parse(one.dump()));
  EXPECT_TRUE(Expanded(twice).starts_with(fmt::format(R"({{"n1":{},)", one["n1"].dump())));
}

TEST_F(JsonExpansionTest, NumbersPrintAsJavaPrintsThem) {
  EXPECT_EQ(Expanded(R"({"a":[-0,2147483647,-2147483648]})"),
            R"({"a":[0,2147483647,-2147483648]})");
  EXPECT_EQ(Expanded(R"({"a":[9223372036854775807,-2147483649]})"),
            R"({"a":[9223372036854775807,-2147483649]})");
  EXPECT_EQ(Expanded(R"({"a":[-0.0,1.50,1e2,1E7,1e-4,5e-324,0.1e+23]})"),
            R"({"a":[-0.0,1.5,100.0,1.0E7,1.0E-4,4.9E-324,1.0E22]})");
}

TEST_F(JsonExpansionTest, IntegersBeyondSixtyFourBitsStayText) {
  ExpectQuoted(R"({"a":9223372036854775808})");
  ExpectQuoted(R"({"a":-9223372036854775809})");
  ExpectQuoted(R"({"a":{"b":[18446744073709551616]}})");
}

// Debezium writes "Infinity", and an escaped half.
TEST_F(JsonExpansionTest, WhatJsonCannotHoldStaysText) {
  ExpectQuoted(R"({"a":1e400})");
  ExpectQuoted(R"({"a":"\ud800"})");
}

TEST_F(JsonExpansionTest, StringsAreEscapedAsJacksonDoesIt) {
  EXPECT_EQ(Expanded("{\"\\u00e9\xF0\x9F\x98\x80\":\"\\/\\u0000\\\"\\n\xF0\x9F\x98\x80\x7f\"}"),
            "{\"é\\uD83D\\uDE00\":\"/\\u0000\\\"\\n\\uD83D\\uDE00\x7f\"}");
}

TEST_F(JsonExpansionTest, WhatIsNoObjectStaysText) {
  for (const std::string_view text : {"",
                                      " ",
                                      "null",
                                      "true",
                                      "1",
                                      "\"x\"",
                                      "[]",
                                      "[1]",
                                      "[{}]",
                                      "text",
                                      " {}",
                                      "{",
                                      R"({"a":1)",
                                      R"({"a":1])",
                                      R"({"a":01})",
                                      R"({a:1})",
                                      "{\"a\":\"\t\"}",
                                      "{\"a\":\"\xff\"}",
                                      R"({"a":"x)",
                                      R"({"":1})"}) {
    ExpectQuoted(text);
    ExpectQuoted(text, kAll);
  }
  EXPECT_EQ(Expanded(R"({"":null,"a":1})"), R"({"a":1})");
  ExpectQuoted(R"({"":null,"a":1})", kNulls);
}

TEST_F(JsonExpansionTest, WhatStandsBehindTheDocumentIsNotLookedAt) {
  EXPECT_EQ(Expanded(R"({"a":"}"} and "more)"), R"({"a":"}"})");
  EXPECT_EQ(Expanded(R"({"a":"\\"}})"), R"({"a":"\\"})");
  EXPECT_EQ(Expanded(R"({"a":1})" + std::string(2000, ']')), R"({"a":1})");
}

TEST_F(JsonExpansionTest, AThousandLevelsAreTheMost) {
  const std::string deepest = Repeated(R"({"a":)", 999) + "[1]" + Repeated("}", 999);
  EXPECT_EQ(Expanded(deepest), deepest);
  ExpectQuoted(R"({"a":)" + deepest + "}");
  ExpectQuoted(Repeated(R"({"a":[)", 1'000'000));
}

TEST_F(JsonExpansionTest, AThousandDigitsAreTheMost) {
  const std::string ones(998, '1');
  EXPECT_EQ(Expanded(fmt::format(R"({{"a":12.{}}})", ones)), R"({"a":12.11111111111111})");
  ExpectQuoted(fmt::format(R"({{"a":12.{}1}})", ones));
  EXPECT_EQ(Expanded(fmt::format(R"({{"a":-0.{}11}})", ones)), R"({"a":-0.1111111111111111})");
  ExpectQuoted(fmt::format(R"({{"a":-0.{}111}})", ones));
  EXPECT_EQ(Expanded(fmt::format(R"({{"a":1.{}e1}})", ones)), R"({"a":11.11111111111111})");
  ExpectQuoted(fmt::format(R"({{"a":0.{}e10}})", ones));
  EXPECT_EQ(Expanded(fmt::format(R"({{"a":"{}111"}})", ones)),
            fmt::format(R"({{"a":"{}111"}})", ones));
}

TEST_F(JsonExpansionTest, FiftyThousandCharactersOfANameAreTheMost) {
  // Half of them are two to Java.
  const std::string longest = fmt::format(R"({{"{}":1}})", Repeated("\xF0\x9F\x98\x80", 25'000));
  EXPECT_NE(Expanded(longest), Quoted(longest));
  ExpectQuoted(fmt::format(R"({{"{}x":1}})", Repeated("\xF0\x9F\x98\x80", 25'000)));
}

// Each of the objects would get the members of all, which is the square of their number.
TEST_F(JsonExpansionTest, WhatWouldGrowOutOfAllProportionStaysText) {
  std::string objects;
  for (int i = 0; i < 5000; ++i) {
    objects += fmt::format(R"({}{{"member{}":1}})", i == 0 ? "" : ",", i);
  }
  ExpectQuoted(fmt::format(R"({{"a":[{}]}})", objects));
}

TEST_F(JsonExpansionTest, ALargeDocumentIsFollowedByASmallOne) {
  const std::string large = fmt::format(R"({{"a":"{}"}})", std::string(3 << 20, 'x'));
  EXPECT_EQ(Expanded(large), large);
  EXPECT_EQ(Expanded(R"({"b":2})"), R"({"b":2})");
  ExpectQuoted(R"({"b":[1,"x"]})");
  EXPECT_EQ(Expanded(R"({"b":[{"c":1},{"c":null}]})"), R"({"b":[{"c":1},{"c":null}]})");
}

}  // namespace
}  // namespace outboxd
