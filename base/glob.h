#pragma once

#include <string_view>

namespace outboxd {

// Patterns over a whole text, in which '*' stands for any characters and '?' for one.

[[nodiscard]] inline bool IsPattern(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

// The time is bounded by the product of the two sizes.
[[nodiscard]] bool FitsPattern(std::string_view text, std::string_view pattern);

// Whether there is a text that fits both patterns.
[[nodiscard]] bool PatternsMeet(std::string_view one, std::string_view other);

}  // namespace outboxd
