#include "daemon/migration/included_tables.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/glob.h"

namespace outboxd {
namespace {

std::optional<std::string> TablePattern(std::string_view regex) {
  std::string pattern;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    const char c = regex[i];
    const bool has_next = i + 1 < regex.size();
    if (c == '\\' && has_next && std::string_view(".$-_").contains(regex[i + 1])) {
      pattern += regex[++i];
    } else if (c == '.' && has_next && regex[i + 1] == '*') {
      pattern += '*';
      ++i;
    } else if (std::string_view("\\[](){}+*?|^$").contains(c)) {
      return std::nullopt;
    } else {
      pattern += c;
    }
  }
  if (std::ranges::count(pattern, '.') != 1) return std::nullopt;
  return pattern;
}

// The list may name a table twice, which outbox.table must not. A '*' covers another one too.
void AddUncovered(std::string pattern, std::vector<std::string>& patterns) {
  const bool is_covered = std::ranges::any_of(
      patterns, [&pattern](const std::string& other) { return FitsPattern(pattern, other); });
  if (is_covered) return;
  std::erase_if(patterns,
                [&pattern](const std::string& other) { return FitsPattern(other, pattern); });
  patterns.push_back(std::move(pattern));
}

}  // namespace

IncludedTables ReadIncludedTables(const std::vector<std::string>& regexes) {
  IncludedTables tables;
  for (const std::string& regex : regexes) {
    if (auto pattern = TablePattern(regex)) {
      AddUncovered(std::move(*pattern), tables.patterns);
    } else {
      tables.untold.push_back(regex);
    }
  }
  return tables;
}

}  // namespace outboxd
