#include "binlog/event_header.h"

#include <gtest/gtest.h>

#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {
namespace {

TEST(EventHeaderTest, ReadsAllFields) {
  const auto event = MakeEvent(EventType::kXid, EventBytes().Little(7, 8), 1234, 0x20);
  const auto header = ParseEventHeader(event);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, EventType::kXid);
  EXPECT_EQ(header->timestamp, 1'700'000'000u);
  EXPECT_EQ(header->server_id, 1u);
  EXPECT_EQ(header->length, 27u);
  EXPECT_EQ(header->log_pos, 1234u);
  EXPECT_EQ(header->flags, EventHeader::kArtificial);
}

TEST(EventHeaderTest, RejectsEveryTruncation) {
  const auto event = MakeEvent(EventType::kXid, EventBytes().Little(7, 8), 1234);
  for (std::size_t size = 0; size < event.size(); ++size) {
    const auto header = ParseEventHeader(Bytes(event).first(size));
    ASSERT_FALSE(header) << size;
    EXPECT_EQ(header.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(ChecksumTest, AcceptsTheRightOneAndNoFlippedBit) {
  auto event = WithChecksum(MakeEvent(EventType::kXid, EventBytes().Little(7, 8), 1234));
  EXPECT_TRUE(ChecksumIsRight(event));
  for (std::size_t bit = 0; bit < event.size() * 8; ++bit) {
    event[bit / 8] = static_cast<std::uint8_t>(event[bit / 8] ^ (1u << (bit % 8)));
    EXPECT_FALSE(ChecksumIsRight(event)) << bit;
    event[bit / 8] = static_cast<std::uint8_t>(event[bit / 8] ^ (1u << (bit % 8)));
  }
}

TEST(ChecksumTest, IgnoresTheInUseFlagOfAFormatDescription) {
  auto event = WithChecksum(MakeEvent(EventType::kFormatDescription, EventBytes().Little(4, 2), 0));
  event[17] = static_cast<std::uint8_t>(event[17] | EventHeader::kInUse);
  EXPECT_TRUE(ChecksumIsRight(event));
}

TEST(ChecksumTest, RejectsAnEventWithoutRoomForOne) {
  EXPECT_FALSE(ChecksumIsRight(MakeEvent(EventType::kXid, EventBytes(), 0)));
}

}  // namespace
}  // namespace outboxd::binlog
