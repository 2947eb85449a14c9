#include "base/escaped.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(EscapedTest, LeavesReadableTextAlone) {
  EXPECT_EQ(Escaped("Bestellung für 5 €, 漢字 😀"), "Bestellung für 5 €, 漢字 😀");
}

TEST(EscapedTest, EscapesControlCharactersOfBothSets) {
  EXPECT_EQ(Escaped(std::string_view("\0\n\r\t\x1b[31m\x7f", 10)), "\\x00\\n\\r\\t\\x1b[31m\\x7f");
  EXPECT_EQ(Escaped("\xC2\x9B"), "\\u009b");
}

TEST(EscapedTest, EscapesMarksThatMakeTextLookLikeOtherText) {
  EXPECT_EQ(Escaped("\xE2\x80\xAE\xE2\x80\xA8\xEF\xBB\xBF"), "\\u202e\\u2028\\ufeff");
  EXPECT_EQ(Escaped("\\n"), "\\\\n");
}

TEST(EscapedTest, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(Escaped("a\xFF\xC2z\xE2\x82"), "a\\xff\\xc2z\\xe2\\x82");
}

TEST(EscapedTest, CutsLongTextBetweenCharactersAndTellsItsLength) {
  EXPECT_EQ(Escaped("abcdef", 6), "abcdef");
  EXPECT_EQ(Escaped("abcdefg", 6), "abcdef... (7 bytes)");
  EXPECT_EQ(Escaped("abc\xE2\x82\xAC", 5), "abc... (6 bytes)");
}

}  // namespace
}  // namespace outboxd
