#include "binlog/byte_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/binlog/heap.h"

namespace outboxd::binlog {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

bool Holds(const ByteBuffer& buffer, std::size_t count, std::uint8_t value) {
  return std::ranges::all_of(buffer.First(count), [value](std::uint8_t b) { return b == value; });
}

TEST(ByteBufferTest, KeepsWhatIsInItWhileItGrows) {
  ByteBuffer buffer;
  std::size_t filled = 0;
  for (const std::size_t capacity : {std::size_t{1}, std::size_t{1000}, kMebibyte - 1, kMebibyte,
                                     kMebibyte + 1, 3 * kMebibyte, 20 * kMebibyte}) {
    buffer.Grow(capacity);
    EXPECT_EQ(buffer.capacity(), capacity);
    EXPECT_TRUE(Holds(buffer, filled, 7)) << capacity;
    std::fill_n(buffer.begin(), capacity, std::uint8_t{7});
    filled = capacity;
  }
  buffer.Grow(10);
  EXPECT_EQ(buffer.capacity(), filled) << "it does not shrink";
}

TEST(ByteBufferTest, IsNeverInMemoryTwice) {
  const PeakMemory memory;
  ByteBuffer buffer;
  for (std::size_t capacity = kMebibyte; capacity <= 64 * kMebibyte; capacity *= 2) {
    buffer.Grow(capacity);
    std::fill_n(buffer.begin(), capacity, std::uint8_t{7});
  }
  EXPECT_LT(memory.growth(), 68 * kMebibyte);
}

TEST(ByteBufferTest, RenewingHoldsTheOldAndTheNewBytesNeverAtOnce) {
  const PeakMemory memory;
  ByteBuffer buffer;
  for (const std::size_t capacity : {40 * kMebibyte, 41 * kMebibyte}) {
    buffer.Renew(capacity);
    std::fill_n(buffer.begin(), capacity, std::uint8_t{7});
  }
  EXPECT_LT(memory.growth(), 45 * kMebibyte);
}

TEST(ByteBufferTest, MovingTakesAndLeavesNothingBehind) {
  for (const std::size_t capacity : {std::size_t{100}, 2 * kMebibyte}) {
    ByteBuffer buffer;
    buffer.Grow(capacity);
    std::fill_n(buffer.begin(), capacity, std::uint8_t{7});
    ByteBuffer taken = std::move(buffer);
    EXPECT_TRUE(Holds(taken, capacity, 7));
    ByteBuffer assigned;
    assigned.Grow(5);
    assigned = std::move(taken);
    EXPECT_TRUE(Holds(assigned, capacity, 7));
    assigned.Free();
    EXPECT_EQ(assigned.capacity(), 0u);
  }
}

}  // namespace
}  // namespace outboxd::binlog
