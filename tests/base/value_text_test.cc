#include "base/value_text.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(ValueTextTest, TakesTheWordsForYesAndNo) {
  for (const char* text : {"yes", "true", "on"}) EXPECT_EQ(ParseYesNo(text), true) << text;
  for (const char* text : {"no", "false", "off"}) EXPECT_EQ(ParseYesNo(text), false) << text;
  for (const char* text : {"", "YES", "1", "y"}) EXPECT_FALSE(ParseYesNo(text)) << text;
  EXPECT_EQ(ParseYesNo("\n").error().message, "'\\n' is neither yes nor no");
}

TEST(ValueTextTest, ANumberIsDigitsOnlyAndWithinItsBounds) {
  EXPECT_EQ(ParseNumber("1", 1, 100), 1u);
  EXPECT_EQ(ParseNumber("100", 1, 100), 100u);
  for (const char* text : {"0", "101", "-1", "+1", " 1", "1 ", "1.0", "", "99999999999999999999"}) {
    EXPECT_FALSE(ParseNumber(text, 1, 100)) << text;
  }
  EXPECT_EQ(ParseNumber("a\n", 1, 9).error().message, "'a\\n' is not a number from 1 to 9");
}

}  // namespace
}  // namespace outboxd
