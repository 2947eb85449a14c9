#include "base/utf8.h"

#include <cstdint>

namespace outboxd {
namespace {

std::uint32_t ByteAt(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

}  // namespace

std::optional<Utf8Character> FirstUtf8Character(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::uint32_t first = ByteAt(text, 0);
  if (first < 0x80) return Utf8Character{first, 1};

  std::size_t bytes = 0;
  std::uint32_t code_point = 0;
  std::uint32_t least = 0;  // Anything smaller is an overlong form.
  if ((first & 0xE0) == 0xC0) {
    bytes = 2, code_point = first & 0x1F, least = 0x80;
  } else if ((first & 0xF0) == 0xE0) {
    bytes = 3, code_point = first & 0x0F, least = 0x800;
  } else if ((first & 0xF8) == 0xF0) {
    bytes = 4, code_point = first & 0x07, least = 0x10000;
  } else {
    return std::nullopt;
  }
  if (text.size() < bytes) return std::nullopt;
  for (std::size_t i = 1; i < bytes; ++i) {
    const std::uint32_t next = ByteAt(text, i);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    code_point = (code_point << 6) | (next & 0x3F);
  }
  const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < least || code_point > 0x10FFFF || is_surrogate) return std::nullopt;
  return Utf8Character{code_point, bytes};
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto character = FirstUtf8Character(text);
    if (!character) return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

}  // namespace outboxd
