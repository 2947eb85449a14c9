#include "binlog/byte_cursor.h"

#include <gtest/gtest.h>

#include <vector>

namespace outboxd::binlog {
namespace {

TEST(ByteCursorTest, ReadsLittleAndBigEndianFields) {
  const std::vector<std::uint8_t> bytes = {1, 2, 0, 3, 0, 0, 4, 0, 0, 0, 5, 6, 0xFF};
  ByteCursor cursor(bytes);
  EXPECT_EQ(cursor.U8(), 1);
  EXPECT_EQ(cursor.U16(), 2);
  EXPECT_EQ(cursor.U24(), 3U);
  EXPECT_EQ(cursor.U32(), 4U);
  EXPECT_EQ(cursor.Big(2), 0x0506U);
  EXPECT_EQ(cursor.Little(1), 0xFFU);
  EXPECT_TRUE(cursor.ok());
  EXPECT_TRUE(cursor.AtEnd());
}

TEST(ByteCursorTest, ReadsPackedIntegersOfAllWidths) {
  const std::vector<std::uint8_t> bytes = {250, 0xFC, 251, 0, 0xFD, 1, 2, 3, 0xFE,
                                           8,   7,    6,   5, 4,    3, 2, 1};
  ByteCursor cursor(bytes);
  EXPECT_EQ(cursor.PackedInteger(), 250U);
  EXPECT_EQ(cursor.PackedInteger(), 251U);
  EXPECT_EQ(cursor.PackedInteger(), 0x030201U);
  EXPECT_EQ(cursor.PackedInteger(), 0x0102030405060708U);
  EXPECT_TRUE(cursor.ok());
}

TEST(ByteCursorTest, PackedNullAndTheReservedByteFail) {
  for (const std::uint8_t first : {std::uint8_t{0xFB}, std::uint8_t{0xFF}}) {
    const std::vector<std::uint8_t> bytes(9, first);
    ByteCursor cursor(bytes);
    EXPECT_EQ(cursor.PackedInteger(), 0U);
    EXPECT_FALSE(cursor.ok());
  }
}

TEST(ByteCursorTest, AReadBeyondTheEndFailsForGood) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  ByteCursor cursor(bytes);
  EXPECT_EQ(cursor.U32(), 0U);
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.U8(), 0);
  EXPECT_TRUE(cursor.Take(1).empty());
  EXPECT_EQ(cursor.remaining(), 0U);
}

TEST(ByteCursorTest, ASizeThatWouldWrapAroundFails) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  ByteCursor cursor(bytes);
  EXPECT_TRUE(cursor.Take(~std::uint64_t{0}).empty());
  EXPECT_FALSE(cursor.ok());
}

}  // namespace
}  // namespace outboxd::binlog
