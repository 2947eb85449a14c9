#include "daemon/text/text_encoding.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

std::string Base64(std::string_view bytes) {
  std::string out;
  AppendBase64(bytes, out);
  return out;
}

TEST(TextEncodingTest, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foob"), "Zm9vYg==");
  EXPECT_EQ(Base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xFB\xFF\xFE"), "+//+");
}

TEST(TextEncodingTest, TakesEveryLengthOfUtf8) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

TEST(TextEncodingTest, RefusesWhatIsNoUtf8) {
  for (const std::string_view text :
       {"\x80", "\xC2", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "\xE2(\xA1",
        "\xFF"}) {
    EXPECT_FALSE(IsUtf8(text)) << Base64(text);
  }
}

TEST(HexTest, HasTwoDigitsForEachByteAndGivesTheBytesBack) {
  const std::string bytes("\x00\x7f\xff", 3);
  std::string lower, upper;
  AppendHex(bytes, lower);
  AppendHex(bytes, upper, kUpperHexDigits);
  EXPECT_EQ(lower, "007fff");
  EXPECT_EQ(upper, "007FFF");
  EXPECT_EQ(BytesOfHex(lower), bytes);
  EXPECT_EQ(BytesOfHex(""), "");
  for (const char* other : {"0", "0g", "7F", "0x"}) EXPECT_FALSE(BytesOfHex(other)) << other;
}

}  // namespace
}  // namespace outboxd
