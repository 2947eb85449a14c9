#pragma once

#include <cstddef>
#include <optional>
#include <string>
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

inline constexpr std::string_view kLowerHexDigits = "0123456789abcdef";
inline constexpr std::string_view kUpperHexDigits = "0123456789ABCDEF";

// Appends two digits for each byte.
void AppendHex(std::string_view bytes, std::string& out,
               std::string_view digits = kLowerHexDigits);
// The bytes of what AppendHex() makes of them; none: it does not make that.
[[nodiscard]] std::optional<std::string> BytesOfHex(std::string_view hex);

// Appends RFC 4648 section 4 Base64, padded, without line breaks.
void AppendBase64(std::string_view bytes, std::string& out);

}  // namespace outboxd
