#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/checkpoint/state_directory.h"
#include "daemon/error.h"

namespace outboxd {

// How the files of the state directory hold events. Internal to daemon/checkpoint/.

[[nodiscard]] nlohmann::ordered_json ToJson(const HeldEvent& held);

// Throws nlohmann::json::exception for a member that is missing or of another type.
[[nodiscard]] HeldEvent HeldFromJson(const nlohmann::json& json);

// kState: the file does not hold what outboxd writes.
[[nodiscard]] std::unexpected<Error> Unreadable(const std::string& path,
                                                const nlohmann::json::exception& why);

}  // namespace outboxd
