#include "base/escaped.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

#include "base/utf8.h"

namespace outboxd {
namespace {

// Whether a reader of a terminal or a log would see something else than the character itself.
bool IsDeceptive(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F) ||  // C0, DEL, C1
         code_point == 0x061C || code_point == 0x200E || code_point == 0x200F ||
         (code_point >= 0x2028 && code_point <= 0x202E) ||  // Line separators, direction marks
         (code_point >= 0x2066 && code_point <= 0x2069) || code_point == 0xFEFF;
}

void AppendEscape(char32_t code_point, std::string& out) {
  switch (code_point) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      break;
  }
  const auto number = static_cast<std::uint32_t>(code_point);
  if (number < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", number);
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
  }
}

}  // namespace

std::string Escaped(std::string_view text, std::size_t bytes_max) {
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto character = FirstUtf8Character(rest);
    const std::size_t bytes = character ? character->bytes : 1;
    const std::size_t begin = text.size() - rest.size();
    if (begin + bytes > bytes_max) {
      fmt::format_to(std::back_inserter(out), "... ({} bytes)", text.size());
      break;
    }
    if (!character) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(rest[0]));
    } else if (character->code_point == U'\\' || IsDeceptive(character->code_point)) {
      AppendEscape(character->code_point, out);
    } else {
      out += rest.substr(0, bytes);
    }
    rest.remove_prefix(bytes);
  }
  return out;
}

}  // namespace outboxd
