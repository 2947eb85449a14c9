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

// Appends RFC 4648 section 4 Base64, padded, without line breaks.
void AppendBase64(std::string_view bytes, std::string& out);

}  // namespace outboxd
