#include "binlog/character_sets.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace outboxd::binlog {
namespace {

class TextConverterTest : public testing::Test {
 protected:
  std::string Convert(std::string_view character_set, std::string_view text) {
    auto converter = TextConverter::Open(character_set);
    EXPECT_TRUE(converter) << character_set;
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    const auto converted = converter->Convert(bytes, arena_);
    if (converted) return std::string(*converted);
    EXPECT_EQ(converted.error().kind, ErrorKind::kUndecodable);
    return "error";
  }

  TextArena arena_;
};

// row_decoder_server_truth_test.cc compares the characters of all sets with the server.
TEST_F(TextConverterTest, Latin1IsCp1252WithItsGapsAsControls) {
  EXPECT_EQ(Convert("latin1", "a\x80\xE9"), "a€é");
  EXPECT_EQ(Convert("latin1", "\x81"), "\xC2\x81");
}

TEST_F(TextConverterTest, ASecondByteMayBeABackslash) {
  EXPECT_EQ(Convert("sjis", "\x83\x5C"), "ソ");
  EXPECT_EQ(Convert("gbk", "\x81\x5C"), "乗");
  EXPECT_EQ(Convert("big5", "\xA5\x5C"), "功");
}

TEST_F(TextConverterTest, FollowsMysqlWhereIconvDiffers) {
  EXPECT_EQ(Convert("sjis", "\\~\x81\x5F"), "\\~\\");
  EXPECT_EQ(Convert("big5", "\xC6\xA7"), "ぃ");
  EXPECT_EQ(Convert("ujis", "\xF5\xA1"), "\xEE\x80\x80");
  EXPECT_EQ(Convert("koi8u", "\x95"), "•");
}

TEST_F(TextConverterTest, Swe7IsNoAscii) { EXPECT_EQ(Convert("swe7", "[a]"), "ÄaÅ"); }

TEST_F(TextConverterTest, ReadsFixedWidthUnicode) {
  EXPECT_EQ(Convert("ucs2", std::string_view("\0a\x20\xAC", 4)), "a€");
  EXPECT_EQ(Convert("utf16", std::string_view("\0a\xD8\x3D\xDE\x00", 6)), "a😀");
  EXPECT_EQ(Convert("utf16le", std::string_view("a\0\x3D\xD8\x00\xDE", 6)), "a😀");
  EXPECT_EQ(Convert("utf32", std::string_view("\0\x01\xF6\x00", 4)), "😀");
}

TEST_F(TextConverterTest, WhatIsNoCharacterIsAnErrorAndNoQuestionMark) {
  EXPECT_EQ(Convert("cp1257", "a\x81"), "error");
  EXPECT_EQ(Convert("greek", "\xFF"), "error");
  EXPECT_EQ(Convert("swe7", "\x80"), "error");
  EXPECT_EQ(Convert("gbk", "\x81"), "error");
  EXPECT_EQ(Convert("sjis", "\xFD\xFD"), "error");
  EXPECT_EQ(Convert("big5", "\xA1\x5A"), "error");
  EXPECT_EQ(Convert("ujis", "\x8F\xA2"), "error");
  EXPECT_EQ(Convert("gb18030", "\x81\x30\x81"), "error");
  EXPECT_EQ(Convert("ucs2", "a"), "error");
  EXPECT_EQ(Convert("ucs2", "\xD8\x3D"), "error");
  EXPECT_EQ(Convert("utf16", "\xD8\x3D\xD8\x3D"), "error");
  EXPECT_EQ(Convert("utf16", "\xDE\x3D\xD8\x3D"), "error");
  EXPECT_EQ(Convert("utf32", std::string_view("\0\x11\0\0", 4)), "error");
}

TEST_F(TextConverterTest, AsciiTextIsNotCopied) {
  const std::string text = "plain text of more than sixteen bytes";
  auto converter = TextConverter::Open("latin1");
  ASSERT_TRUE(converter);
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  EXPECT_EQ(converter->Convert(bytes, arena_)->data(), text.data());
}

TEST_F(TextConverterTest, AnUnknownSetIsRefused) {
  const auto converter = TextConverter::Open("klingon");
  ASSERT_FALSE(converter);
  EXPECT_EQ(converter.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(converter.error().message.find("klingon"), std::string::npos);
}

TEST(CharacterSetsTest, KnowsMysqlsCollationsAndLearnsOthers) {
  CharacterSets sets;
  EXPECT_EQ(sets.NameOf(8), "latin1");
  EXPECT_EQ(sets.NameOf(33), "utf8mb3");
  EXPECT_EQ(sets.NameOf(63), "binary");
  EXPECT_EQ(sets.NameOf(255), "utf8mb4");
  EXPECT_EQ(sets.NameOf(2304), "");
  sets.Add(2304, "utf8mb4");
  EXPECT_EQ(sets.NameOf(2304), "utf8mb4");
}

TEST(CharacterSetsTest, EverySetOfMysqlCanBeConverted) {
  const CharacterSets sets;
  for (std::uint32_t id = 1; id < 400; ++id) {
    if (sets.NameOf(id).empty()) continue;
    EXPECT_TRUE(TextConverter::Open(sets.NameOf(id))) << sets.NameOf(id);
  }
}

}  // namespace
}  // namespace outboxd::binlog
