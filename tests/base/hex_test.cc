#include "base/hex.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

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
