#pragma once

#include <algorithm>
#include <string_view>

namespace outboxd {

// The names that an operator gives: of a relay, and of a family of event tables. They stand in
// paths, in keys of the configuration and on the command line, and need no quotes in any of them.

[[nodiscard]] constexpr bool IsPlainNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// At least one character, of any number; letters are those of ASCII.
[[nodiscard]] constexpr bool IsPlainName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, IsPlainNameCharacter);
}

}  // namespace outboxd
