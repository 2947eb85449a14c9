#pragma once

#include <charconv>
#include <cstddef>
#include <string_view>

namespace outboxd::binlog {

// The parts of a column's type as information_schema.columns.column_type words it:
// "decimal(10,2) unsigned".

// "decimal"
inline std::string_view TypeNameOf(std::string_view type) {
  return type.substr(0, type.find_first_of("( "));
}

// What stands in parentheses: "10,2".
inline std::string_view TypeArgumentsOf(std::string_view type) {
  const std::size_t begin = type.find('(');
  const std::size_t end = type.rfind(')');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  return type.substr(begin + 1, end - begin - 1);
}

// The number that `arguments` begin with; 0: none.
inline unsigned FirstNumberOf(std::string_view arguments) {
  unsigned number = 0;
  std::from_chars(arguments.data(), arguments.data() + arguments.size(), number);
  return number;
}

inline bool IsUnsignedType(std::string_view type) {
  return type.substr(type.rfind(')') + 1).find("unsigned") != std::string_view::npos;
}

// Of "'a','it''s'": a quote within a member is doubled, which opens and closes as well.
inline std::size_t CountMembers(std::string_view members) {
  std::size_t count = members.empty() ? 0 : 1;
  bool quoted = false;
  for (const char c : members) {
    if (c == '\'') quoted = !quoted;
    if (c == ',' && !quoted) ++count;
  }
  return count;
}

}  // namespace outboxd::binlog
