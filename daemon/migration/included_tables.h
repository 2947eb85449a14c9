#pragma once

#include <string>
#include <vector>

namespace outboxd {

// What a connector's `table.include.list` is in patterns of outbox.table.
struct IncludedTables {
  std::vector<std::string> patterns;  // In their order; none covers another.
  // Regular expressions that no pattern tells, where '*' and '?' are all there is.
  std::vector<std::string> untold;
};

// `regexes`: the elements of the list. One that is a plain name, or has '.*' for any characters,
// becomes a pattern.
[[nodiscard]] IncludedTables ReadIncludedTables(const std::vector<std::string>& regexes);

}  // namespace outboxd
