#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace outboxd::binlog {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Integers of `kWidth` bytes (at most 8) that start at `from`. The constant loops become one load.
template <std::size_t kWidth>
[[nodiscard]] inline std::uint64_t LoadLittle(const std::uint8_t* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kWidth; ++i) value |= std::uint64_t{from[i]} << (8 * i);
  return value;
}

template <std::size_t kWidth>
[[nodiscard]] inline std::uint64_t LoadBig(const std::uint8_t* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kWidth; ++i) value = (value << 8) | from[i];
  return value;
}

// The same for a width that is known only at run time; at most 8 bytes.
[[nodiscard]] inline std::uint64_t LoadLittle(Bytes bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = (value << 8) | bytes[i - 1];
  return value;
}

[[nodiscard]] inline std::uint64_t LoadBig(Bytes bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = (value << 8) | byte;
  return value;
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

  std::uint8_t U8() { return static_cast<std::uint8_t>(Fixed<1>()); }
  std::uint16_t U16() { return static_cast<std::uint16_t>(Fixed<2>()); }
  std::uint32_t U24() { return static_cast<std::uint32_t>(Fixed<3>()); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(Fixed<4>()); }
  std::uint64_t U48() { return Fixed<6>(); }
  std::uint64_t U64() { return Fixed<8>(); }

  // `width` bytes, least significant first; at most 8.
  std::uint64_t Little(std::size_t width) { return LoadLittle(Take(width)); }

  // `width` bytes, most significant first; at most 8.
  std::uint64_t Big(std::size_t width) { return LoadBig(Take(width)); }

  // MySQL's length-encoded integer: below 251 in one byte, else 0xFC, 0xFD, 0xFE and 2, 3, 8
  // bytes. 0xFB (NULL) and 0xFF have no meaning in the binary log and fail the cursor.
  std::uint64_t PackedInteger() {
    const std::uint8_t first = U8();
    if (first < 251) return first;
    switch (first) {
      case 0xFC:
        return U16();
      case 0xFD:
        return U24();
      case 0xFE:
        return U64();
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
  template <std::size_t kWidth>
  std::uint64_t Fixed() {
    if (kWidth > remaining()) {
      FailForGood();
      return 0;
    }
    const std::uint64_t value = LoadLittle<kWidth>(next_);
    next_ += kWidth;
    return value;
  }

  void FailForGood() {
    ok_ = false;
    next_ = end_;
  }

  const std::uint8_t* next_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

}  // namespace outboxd::binlog
