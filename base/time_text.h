#pragma once

#include <cstdint>
#include <string>

namespace outboxd {

// Times in microseconds since 1970, in UTC.

[[nodiscard]] std::string TimeText(std::uint64_t microseconds);      // "2025-10-09 08:53:20 UTC"
[[nodiscard]] std::string FineTimeText(std::uint64_t microseconds);  // "... 08:53:20.123456 UTC"
[[nodiscard]] std::string IsoTimeText(std::uint64_t microseconds);   // "2025-10-09T08:53:20.123Z"

}  // namespace outboxd
