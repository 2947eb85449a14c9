#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/event_header.h"

namespace outboxd::binlog {

// Builds binlog events byte by byte, for tests: the formats as MySQL documents them, independent of
// the code under test.
class EventBytes {
 public:
  // Least significant byte first; zeros behind the eighth.
  EventBytes& Little(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i, value >>= 8) {
      bytes_.push_back(static_cast<std::uint8_t>(value));
    }
    return *this;
  }
  EventBytes& Text(std::string_view text) {
    for (const char c : text) bytes_.push_back(static_cast<std::uint8_t>(c));
    return *this;
  }
  // MySQL's length-encoded integer, in as few bytes as it takes.
  EventBytes& Packed(std::uint64_t value) {
    if (value < 251) return Little(value, 1);
    if (value < 1 << 16) return Little(0xFC, 1).Little(value, 2);
    if (value < 1 << 24) return Little(0xFD, 1).Little(value, 3);
    return Little(0xFE, 1).Little(value, 8);
  }
  // A number below 16384 in MySQL's serialization library: below 128 its double in one byte, else
  // its fourfold plus one in two.
  EventBytes& Serialized(std::uint64_t value) {
    return value < 128 ? Little(value << 1, 1) : Little(value << 2 | 1, 2);
  }
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

// A whole event without checksum whose end stands at offset `log_pos` of its file.
inline std::vector<std::uint8_t> MakeEvent(EventType type, const EventBytes& body,
                                           std::uint32_t log_pos, std::uint16_t flags = 0) {
  EventBytes event;
  event.Little(1'700'000'000, 4).Little(static_cast<std::uint8_t>(type), 1).Little(1, 4);
  event.Little(kEventHeaderBytes + body.bytes().size(), 4).Little(log_pos, 4).Little(flags, 2);
  std::vector<std::uint8_t> bytes = event.bytes();
  bytes.insert(bytes.end(), body.bytes().begin(), body.bytes().end());
  return bytes;
}

// The same event as a log with checksums has it.
inline std::vector<std::uint8_t> WithChecksum(std::vector<std::uint8_t> event) {
  constexpr std::size_t kLengthOffset = 9;
  const std::size_t size = event.size() + kChecksumBytes;
  for (std::size_t i = 0; i < 4; ++i) {
    event[kLengthOffset + i] = static_cast<std::uint8_t>(size >> (8 * i));
  }
  const auto crc = ::crc32_z(0, event.data(), event.size());
  for (int i = 0; i < 4; ++i) event.push_back(static_cast<std::uint8_t>(crc >> (8 * i)));
  return event;
}

}  // namespace outboxd::binlog
