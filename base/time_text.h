#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace outboxd {

// How long something takes, for people: "90 s", "90 min", "36 h", "30 days", and never more than it
// is.
[[nodiscard]] std::string DurationText(std::chrono::seconds duration);

// Times in microseconds since 1970, in UTC.

[[nodiscard]] std::string TimeText(std::uint64_t microseconds);      // "2025-10-09 08:53:20 UTC"
[[nodiscard]] std::string FineTimeText(std::uint64_t microseconds);  // "... 08:53:20.123456 UTC"
[[nodiscard]] std::string IsoTimeText(std::uint64_t microseconds);   // "2025-10-09T08:53:20.123Z"

}  // namespace outboxd
