#include "binlog/json_binary.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "tests/binlog/json_bytes.h"

namespace outboxd::binlog {
namespace {

class JsonBinaryTest : public testing::Test {
 protected:
  std::string Render(const Octets& document, JsonStyle style = JsonStyle::kMysql) {
    arena_.Clear();
    const auto text = RenderJson(document, arena_, style);
    if (text) return std::string(*text);
    EXPECT_EQ(text.error().kind, ErrorKind::kUndecodable);
    return "error: " + text.error().message;
  }
  std::string AsDebezium(const Octets& document) { return Render(document, JsonStyle::kDebezium); }
  bool Refuses(const Octets& document) { return Render(document).starts_with("error: "); }

  TextArena arena_;
};

TEST_F(JsonBinaryTest, NoBytesAreNull) { EXPECT_EQ(Render({}), "null"); }

TEST_F(JsonBinaryTest, RendersScalars) {
  EXPECT_EQ(Render({4, 0}), "null");
  EXPECT_EQ(Render({4, 1}), "true");
  EXPECT_EQ(Render({4, 2}), "false");
  EXPECT_EQ(Render({5, 0xFF, 0xFF}), "-1");
  EXPECT_EQ(Render({6, 0xFF, 0xFF}), "65535");
  EXPECT_EQ(Render({9, 0, 0, 0, 0, 0, 0, 0, 0x80}), "-9223372036854775808");
  EXPECT_EQ(Render({10, 255, 255, 255, 255, 255, 255, 255, 255}), "18446744073709551615");
  EXPECT_EQ(Render({11, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F}), "1.0");
}

TEST_F(JsonBinaryTest, EscapesWhatMysqlEscapes) {
  const std::string plain = std::string("\"\\/\b\f\n\r\t\0\x1f\x7f", 11) + "é";
  EXPECT_EQ(Render(JsonString(plain)), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7fé\"");
}

TEST_F(JsonBinaryTest, EscapesAtEveryPlaceOfAString) {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string plain(size, 'x');
      plain[at] = '"';
      const std::string x(size, 'x');
      ASSERT_EQ(Render(JsonString(plain)),
                fmt::format("\"{}\\\"{}\"", x.substr(0, at), x.substr(at + 1)));
    }
  }
}

TEST_F(JsonBinaryTest, AStringOfNothingButEscapesFits) {
  const std::string plain(100'000, '\x01');
  EXPECT_EQ(Render(JsonString(plain)).size(), 6 * plain.size() + 2);
}

TEST_F(JsonBinaryTest, KeepsStoredOrderAndEmptyKeys) {
  EXPECT_EQ(Render(JsonObject({{"", JsonInt16(1)}, {"b", JsonInt16(2)}, {"aa", JsonInt16(3)}})),
            R"({"":1,"b":2,"aa":3})");
  EXPECT_EQ(Render(JsonObject({})), "{}");
  EXPECT_EQ(Render(JsonArray({JsonArray({}), JsonObject({}), JsonString("")})), R"([[],{},""])");
}

TEST_F(JsonBinaryTest, FollowsOffsetsOverHoles) {
  // An array of one string with two unused bytes in front of it, as partial updates leave them.
  EXPECT_EQ(Render({2, 1, 0, 11, 0, 12, 9, 0, 0xEE, 0xEE, 1, 'a'}), R"(["a"])");
}

TEST_F(JsonBinaryTest, InlinesWideIntegersInLargeContainersOnly) {
  EXPECT_EQ(Render({3, 1, 0, 0, 0, 13, 0, 0, 0, 7, 0x00, 0x00, 0x00, 0x80}), "[-2147483648]");
  EXPECT_EQ(Render({3, 1, 0, 0, 0, 13, 0, 0, 0, 8, 0xFF, 0xFF, 0xFF, 0xFF}), "[4294967295]");
  EXPECT_EQ(Render({2, 1, 0, 11, 0, 7, 7, 0, 0x00, 0x00, 0x00, 0x80}), "[-2147483648]");
  EXPECT_EQ(Render({3, 2, 0, 0, 0, 18, 0, 0, 0, 4, 1, 0, 0, 0, 5, 0xFE, 0xFF, 0, 0}), "[true,-2]");
}

TEST_F(JsonBinaryTest, OpaqueBytesAreBase64WithMysqlsLineBreaks) {
  EXPECT_EQ(Render(JsonOpaque(252, {})), R"("base64:type252:")");
  EXPECT_EQ(Render(JsonOpaque(252, {0, 255})), R"("base64:type252:AP8=")");
  EXPECT_EQ(Render(JsonOpaque(16, {5})), R"("base64:type16:BQ==")");
  const std::string line(76, 'A');
  EXPECT_EQ(Render(JsonOpaque(15, Octets(57, 0))), "\"base64:type15:" + line + "\"");
  EXPECT_EQ(Render(JsonOpaque(15, Octets(60, 0))), "\"base64:type15:" + line + "\\nAAAA\"");
}

TEST_F(JsonBinaryTest, OpaqueVarStringsAreStrings) {
  EXPECT_EQ(Render(JsonOpaque(253, {'a', '"'})), R"("a\"")");
}

TEST_F(JsonBinaryTest, NestsAHundredLevelsAndNoMore) {
  Octets document = JsonArray({});
  for (int depth = 1; depth < 100; ++depth) document = JsonArray({document});
  EXPECT_EQ(Render(document), std::string(100, '[') + std::string(100, ']'));
  EXPECT_TRUE(Refuses(JsonArray({document})));
}

TEST_F(JsonBinaryTest, AnOffsetBackIntoTheHeaderIsRefused) {
  for (std::uint8_t offset = 0; offset < 7; ++offset) {
    EXPECT_TRUE(Refuses({2, 1, 0, 7, 0, 2, offset, 0})) << int{offset};
  }
}

TEST_F(JsonBinaryTest, AnOffsetBeyondTheEndIsRefused) {
  EXPECT_TRUE(Refuses({2, 1, 0, 8, 0, 12, 9, 0, 0}));
  EXPECT_TRUE(Refuses({3, 1, 0, 0, 0, 13, 0, 0, 0, 12, 0xFF, 0xFF, 0xFF, 0xFF}));
  EXPECT_TRUE(Refuses({0, 1, 0, 12, 0, 0xFF, 0xFF, 1, 0, 4, 0, 0, 'a'}));
}

TEST_F(JsonBinaryTest, SharedPartsAreRefusedBeforeTheyUnfold) {
  // Each of 20 arrays holds the next one 10 times: 10^20 elements from a kilobyte.
  Octets document = JsonString("x");
  for (int depth = 0; depth < 20; ++depth) {
    Octets array = {2, 10, 0};
    const std::size_t header = 4 + 10 * 3;
    const std::size_t size = header + document.size() - 1;
    array.push_back(static_cast<std::uint8_t>(size));
    array.push_back(static_cast<std::uint8_t>(size >> 8));
    for (int i = 0; i < 10; ++i) {
      array.push_back(document[0]);
      array.push_back(static_cast<std::uint8_t>(header));
      array.push_back(0);
    }
    array.insert(array.end(), document.begin() + 1, document.end());
    document = array;
  }
  EXPECT_TRUE(Refuses(document));
}

TEST_F(JsonBinaryTest, SharedStringsAndKeysAreRefused) {
  Octets keys = {0, 2, 0, 28, 0, 18, 0, 10, 0, 18, 0, 10, 0, 4, 0, 0, 4, 0, 0};
  keys.insert(keys.end(), 10, 'k');
  EXPECT_TRUE(Refuses(keys));
  Octets strings = {2, 2, 0, 21, 0, 12, 10, 0, 12, 10, 0, 10};
  strings.insert(strings.end(), 10, 's');
  EXPECT_TRUE(Refuses(strings));
}

// Three bytes of each element would unfold to the 25 of "-2.2250738585072014e-308,".
TEST_F(JsonBinaryTest, SharedNumbersAreRefused) {
  for (const std::uint8_t type : Octets{9, 10, 11}) {
    Octets numbers = {2, 2, 0, 18, 0, type, 10, 0, type, 10, 0};
    numbers.resize(numbers.size() + 8);
    EXPECT_TRUE(Refuses(numbers)) << int{type};
  }
  for (const std::uint8_t type : Octets{7, 8}) {
    EXPECT_TRUE(Refuses({2, 2, 0, 14, 0, type, 10, 0, type, 10, 0, 1, 2, 3, 4})) << int{type};
  }
}

TEST_F(JsonBinaryTest, HugeCountsAreRefused) {
  EXPECT_TRUE(Refuses({1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}));
  EXPECT_TRUE(Refuses({3, 0xFF, 0xFF, 0xFF, 0xFF, 9, 0, 0, 0, 4}));
  EXPECT_TRUE(Refuses({0, 0xFF, 0xFF, 4, 0}));
  EXPECT_TRUE(Refuses({12, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 'a'}));
  EXPECT_TRUE(Refuses({12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}));
}

TEST_F(JsonBinaryTest, WhatIsNoJsonIsRefused) {
  EXPECT_TRUE(Refuses({4, 3}));
  EXPECT_TRUE(Refuses({13}));
  EXPECT_TRUE(Refuses({11, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F}));
  EXPECT_TRUE(Refuses({11, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F}));
  EXPECT_TRUE(Refuses(JsonOpaque(246, {5})));
  EXPECT_TRUE(Refuses(JsonOpaque(246, {1, 2, 0x80})));
  EXPECT_TRUE(Refuses(JsonOpaque(12, {0, 0, 0, 0})));
}

TEST_F(JsonBinaryTest, EveryTruncationIsAnErrorOrWithinTheBytes) {
  const Octets document =
      JsonObject({{"a", JsonInt16(1)},
                  {"bb", JsonArray({JsonString("some text"), JsonOpaque(252, {1, 2, 3}), {4, 1}})},
                  {"ccc", JsonObject({{"d", {11, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F}}})},
                  {"dddd", JsonOpaque(246, {2, 1, 0x81, 5})}});
  EXPECT_EQ(Render(document),
            R"({"a":1,"bb":["some text","base64:type252:AQID",true],"ccc":{"d":1.0},"dddd":1.5})");
  for (std::size_t size = 1; size < document.size(); ++size) {
    const Octets cut(document.begin(), document.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(Refuses(cut)) << size;
  }
}

// What the real Debezium prints is compared in tests/integration/test_debezium.py.

Octets JsonDouble(double value) {
  Octets bytes = {11};
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8)
    bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
  return bytes;
}

TEST_F(JsonBinaryTest, DebeziumWritesAllDigitsOfLargeAndSmallNumbers) {
  EXPECT_EQ(AsDebezium(JsonDouble(1.5)), "1.5");
  EXPECT_EQ(AsDebezium(JsonDouble(0)), "0.0");
  EXPECT_EQ(AsDebezium(JsonDouble(-0.0)), "-0.0");
  EXPECT_EQ(AsDebezium(JsonDouble(0.001)), "0.001");
  EXPECT_EQ(AsDebezium(JsonDouble(9999999)), "9999999.0");
  EXPECT_EQ(AsDebezium(JsonDouble(1e7)), "10000000");
  EXPECT_EQ(AsDebezium(JsonDouble(1e23)), "99999999999999991611392");
  EXPECT_EQ(AsDebezium(JsonDouble(12345678.5)), "12345678.5");
  EXPECT_EQ(AsDebezium(JsonDouble(-0x1p-10)), "-0.0009765625");
  EXPECT_EQ(AsDebezium(JsonDouble(1e-4)),
            "0.000100000000000000004792173602385929598312941379845142364501953125");
  EXPECT_EQ(AsDebezium(JsonDouble(-5e-324)).size(), 1077U);
  EXPECT_EQ(AsDebezium(JsonDouble(1.7976931348623157e308)).size(), 309U);
}

TEST_F(JsonBinaryTest, ManyLongNumbersFit) {
  const std::string text = AsDebezium(JsonArray(std::vector<Octets>(100, JsonDouble(-5e-324))));
  EXPECT_EQ(text.size(), 100 * 1078 + 1U);
}

TEST_F(JsonBinaryTest, DebeziumWritesOpaqueBytesWithoutTheirType) {
  EXPECT_EQ(AsDebezium(JsonOpaque(252, {0, 255})), R"("AP8=")");
  EXPECT_EQ(AsDebezium(JsonOpaque(253, {'a', '"'})), R"("YSI=")");
  EXPECT_EQ(AsDebezium(JsonOpaque(15, Octets(60, 0))), "\"" + std::string(80, 'A') + "\"");
}

TEST_F(JsonBinaryTest, DebeziumWritesTimesWithoutZeros) {
  const auto time = [this](std::uint64_t microseconds) {
    const std::uint64_t packed = (std::uint64_t{1} << 12 | 2 << 6 | 3) << 24 | microseconds;
    Octets bytes;
    for (int shift = 0; shift < 64; shift += 8) {
      bytes.push_back(static_cast<std::uint8_t>(packed >> shift));
    }
    return AsDebezium(JsonOpaque(11, bytes));
  };
  EXPECT_EQ(time(0), R"("01:02:03")");
  EXPECT_EQ(time(500'000), R"("01:02:03.5")");
  EXPECT_EQ(time(1), R"("01:02:03.000001")");
  EXPECT_EQ(time(12'300), R"("01:02:03.0123")");
}

TEST_F(JsonBinaryTest, DebeziumEscapesWithCapitalLetters) {
  EXPECT_EQ(AsDebezium(JsonString("\x1f\n")), R"("\u001F\n")");
}

TEST_F(JsonBinaryTest, NoBytesAreAnEmptyObjectToDebezium) { EXPECT_EQ(AsDebezium({}), "{}"); }

}  // namespace
}  // namespace outboxd::binlog
