#pragma once

#include <algorithm>
#include <functional>
#include <ranges>
#include <string_view>

namespace outboxd::binlog {

// MySQL does not tell upper from lower case in the names of columns and savepoints, nor in
// keywords. Letters beyond ASCII count as they are, so that two names the server takes for one are
// two here, and the caller, who does not find the name, refuses.
[[nodiscard]] constexpr char LowerCase(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool EqualInAnyCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, LowerCase, LowerCase);
}

// Where the first element of `range` with this name stands, or its end.
template <std::ranges::input_range Range, typename Projection = std::identity>
[[nodiscard]] constexpr auto FindInAnyCase(Range& range, std::string_view name,
                                           Projection projection = {}) {
  return std::ranges::find_if(
      range, [name](std::string_view other) { return EqualInAnyCase(other, name); }, projection);
}

[[nodiscard]] constexpr bool ContainsInAnyCase(std::string_view text, std::string_view part) {
  return part.empty() || !std::ranges::search(text, part, {}, LowerCase, LowerCase).empty();
}

}  // namespace outboxd::binlog
