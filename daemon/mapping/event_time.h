#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "daemon/error.h"

namespace outboxd {

// The time that a timestamp column holds: "2026-11-21 01:26:00[.123456]" in UTC, or milliseconds
// since 1970. Digits beyond milliseconds are cut off. None: MySQL's zero date, which is no time.
// kUndecodable: anything else, and times before 1970, which Kafka does not take.
[[nodiscard]] Result<std::optional<std::chrono::milliseconds>> ParseEventTime(
    std::string_view text);

}  // namespace outboxd
