#include "daemon/text/text_encoding.h"

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

void AppendHex(std::string_view bytes, std::string& out, std::string_view digits) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += digits[byte >> 4];
    out += digits[byte & 0xF];
  }
}

std::optional<std::string> BytesOfHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const std::size_t high = kLowerHexDigits.find(hex[i]), low = kLowerHexDigits.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

void AppendBase64(std::string_view bytes, std::string& out) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group =
        ByteAt(bytes, i) << 16 | ByteAt(bytes, i + 1) << 8 | ByteAt(bytes, i + 2);
    out.push_back(kDigits[group >> 18]);
    out.push_back(kDigits[group >> 12 & 63]);
    out.push_back(kDigits[group >> 6 & 63]);
    out.push_back(kDigits[group & 63]);
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return;
  const std::uint32_t group = ByteAt(bytes, i) << 16 | (rest == 2 ? ByteAt(bytes, i + 1) << 8 : 0);
  out.push_back(kDigits[group >> 18]);
  out.push_back(kDigits[group >> 12 & 63]);
  out.push_back(rest == 2 ? kDigits[group >> 6 & 63] : '=');
  out.push_back('=');
}

}  // namespace outboxd
