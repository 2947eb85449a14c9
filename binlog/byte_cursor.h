#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace outboxd::binlog {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads fields one after another from borrowed bytes. The first read beyond the end makes the
// cursor fail for good: that read and all later ones yield zero or nothing, so a caller reads all
// fields and asks ok() once, before it uses any of them.
class ByteCursor {
 public:
  explicit ByteCursor(Bytes bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - next_); }
  [[nodiscard]] bool AtEnd() const { return next_ == end_; }

  std::uint8_t U8() { return static_cast<std::uint8_t>(Little(1)); }
  std::uint16_t U16() { return static_cast<std::uint16_t>(Little(2)); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(Little(4)); }
  std::uint64_t U48() { return Little(6); }
  std::uint64_t U64() { return Little(8); }

  // `width` bytes, least significant first; at most 8.
  std::uint64_t Little(std::size_t width) {
    const Bytes field = Take(width);
    std::uint64_t value = 0;
    for (std::size_t i = field.size(); i > 0; --i) value = (value << 8) | field[i - 1];
    return value;
  }

  // `width` bytes, most significant first; at most 8.
  std::uint64_t Big(std::size_t width) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : Take(width)) value = (value << 8) | byte;
    return value;
  }

  // MySQL's length-encoded integer: below 251 in one byte, else 0xFC, 0xFD, 0xFE and 2, 3, 8
  // bytes. 0xFB (NULL) and 0xFF have no meaning in the binary log and fail the cursor.
  std::uint64_t PackedInteger() {
    const std::uint8_t first = U8();
    if (first < 251) return first;
    switch (first) {
      case 0xFC:
        return Little(2);
      case 0xFD:
        return Little(3);
      case 0xFE:
        return Little(8);
      default:
        FailForGood();
        return 0;
    }
  }

  // The next `size` bytes, borrowed from what the cursor reads.
  Bytes Take(std::uint64_t size) {
    if (size > remaining()) {
      FailForGood();
      return {};
    }
    const Bytes taken(next_, static_cast<std::size_t>(size));
    next_ += size;
    return taken;
  }

  void Skip(std::uint64_t size) { Take(size); }
  Bytes Rest() { return Take(remaining()); }

 private:
  void FailForGood() {
    ok_ = false;
    next_ = end_;
  }

  const std::uint8_t* next_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

}  // namespace outboxd::binlog
