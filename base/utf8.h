#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace outboxd {

struct Utf8Character {
  char32_t code_point;
  std::size_t bytes;
};

// The character that `text` begins with. None: it begins with none (RFC 3629: also for overlong
// forms, surrogates and code points above U+10FFFF) or is empty.
[[nodiscard]] std::optional<Utf8Character> FirstUtf8Character(std::string_view text);

[[nodiscard]] bool IsUtf8(std::string_view text);

inline constexpr std::size_t kUtf8Max = 4;

// Writes the character in UTF-8, at most kUtf8Max bytes; returns where it ends.
constexpr char* WriteUtf8(std::uint32_t code_point, char* to) {
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) {
    *to++ = static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    *to++ = static_cast<char>(0xC0 | code_point >> 6);
    *to++ = tail(0);
  } else if (code_point < 0x10000) {
    *to++ = static_cast<char>(0xE0 | code_point >> 12);
    *to++ = tail(6);
    *to++ = tail(0);
  } else {
    *to++ = static_cast<char>(0xF0 | code_point >> 18);
    *to++ = tail(12);
    *to++ = tail(6);
    *to++ = tail(0);
  }
  return to;
}

}  // namespace outboxd
