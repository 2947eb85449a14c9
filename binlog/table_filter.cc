#include "binlog/table_filter.h"

#include <cstddef>

namespace outboxd::binlog {

std::optional<std::uint32_t> TableFilter::Match(std::string_view schema_name,
                                                std::string_view table_name) const {
  for (std::uint32_t i = 0; i < selections_.size(); ++i) {
    const TableSelection& selection = selections_[i];
    if (FitsPattern(table_name, selection.table_pattern) &&
        FitsPattern(schema_name, selection.schema_pattern)) {
      return i;
    }
  }
  return std::nullopt;
}

bool FitsPattern(std::string_view text, std::string_view pattern) {
  // On a mismatch the last '*' swallows one character more; earlier ones never need to.
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace outboxd::binlog
