#include "binlog/decimal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outboxd::binlog {
namespace {

Result<std::string> Decimal(const std::vector<std::uint8_t>& bytes, std::uint32_t precision,
                            std::uint32_t scale) {
  char text[kDecimalTextMax];
  const auto end = WriteDecimal(bytes, {precision, scale}, text);
  if (!end) return std::unexpected(end.error());
  return std::string(text, *end);
}

TEST(DecimalTest, ReadsTheExampleOfTheFormatsDescription) {
  // mysys/decimal.cc: 1234567890.1234 as DECIMAL(14,4).
  EXPECT_EQ(Decimal({0x81, 0x0D, 0xFB, 0x38, 0xD2, 0x04, 0xD2}, 14, 4), "1234567890.1234");
  EXPECT_EQ(Decimal({0x7E, 0xF2, 0x04, 0xC7, 0x2D, 0xFB, 0x2D}, 14, 4), "-1234567890.1234");
}

TEST(DecimalTest, KeepsTheScaleAndOneDigitBeforeThePoint) {
  EXPECT_EQ(Decimal({0x80, 0x00}, 4, 2), "0.00");
  EXPECT_EQ(Decimal({0x80, 50}, 4, 2), "0.50");
  EXPECT_EQ(Decimal({0x7F, 0xFF - 50}, 4, 2), "-0.50");
  EXPECT_EQ(Decimal({0x80}, 1, 0), "0");
  EXPECT_EQ(Decimal({0x85}, 1, 1), "0.5");
}

TEST(DecimalTest, ASizeThatDoesNotFitTheShapeIsAnError) {
  for (std::size_t size = 0; size < 12; ++size) {
    if (size == DecimalSize({14, 4})) continue;
    const auto text = Decimal(std::vector<std::uint8_t>(size, 0x80), 14, 4);
    ASSERT_FALSE(text) << size;
    EXPECT_EQ(text.error().kind, ErrorKind::kUndecodable);
  }
}

TEST(DecimalTest, AGroupThatIsNoDigitsIsAnError) {
  EXPECT_FALSE(Decimal({0x80 | 10}, 1, 0));
  EXPECT_FALSE(Decimal({0xFF, 0xFF, 0xFF, 0xFF}, 9, 0));
  EXPECT_FALSE(Decimal({0x80, 100}, 4, 2));
}

TEST(DecimalTest, AShapeThatNoServerHasIsAnError) {
  EXPECT_FALSE(Decimal({}, 0, 0));
  EXPECT_FALSE(Decimal({0x80}, 1, 2));
  EXPECT_FALSE(Decimal(std::vector<std::uint8_t>(113), 255, 0));
}

}  // namespace
}  // namespace outboxd::binlog
