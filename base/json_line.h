#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace outboxd {

// One line with its end. Text that is not UTF-8 after all is mended rather than refused: such lines
// are for people.
[[nodiscard]] inline std::string JsonLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Calls `visit` with the JSON of each line. Passes over a line that is none, such as half a line
// that a crash left, and one in which `visit` finds something else than it looks for
// (nlohmann::json::exception).
template <typename Visit>
void VisitJsonLines(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    try {
      visit(nlohmann::json::parse(line));
    } catch (const nlohmann::json::exception&) {
      continue;
    }
  }
}

}  // namespace outboxd
