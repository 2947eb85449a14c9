#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace outboxd {

// One line with its end. Text that is not UTF-8 after all is mended rather than refused: such lines
// are for people.
[[nodiscard]] inline std::string JsonLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace outboxd
