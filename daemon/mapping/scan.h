#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outboxd {

// What the readers of expressions and of conditions take off the front of a text alike.

constexpr void SkipBlanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// What stands up to `quote`, of which two stand for one. None: it does not end.
[[nodiscard]] inline std::optional<std::string> TakeQuoted(std::string_view& text, char quote) {
  std::string quoted;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == quote && (text.empty() || text.front() != quote)) return quoted;
    if (c == quote) text.remove_prefix(1);
    quoted += c;
  }
  return std::nullopt;
}

}  // namespace outboxd
