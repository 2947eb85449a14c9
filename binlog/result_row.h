#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outboxd::binlog {

// One row of a small result, as text; none: NULL.
using ResultRow = std::vector<std::optional<std::string>>;

// Of one field: empty for NULL.
[[nodiscard]] inline std::string TextOf(const std::optional<std::string>& field) {
  return field.value_or("");
}

// The number at the front of a field's text; 0: there is none, or it is beyond 64 bits.
[[nodiscard]] inline std::uint64_t NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace outboxd::binlog
