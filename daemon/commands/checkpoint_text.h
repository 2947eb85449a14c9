#pragma once

#include <cstdint>
#include <string>

#include "daemon/checkpoint/checkpoint.h"

namespace outboxd {

// A time in microseconds since the epoch, for people; "-" for 0.
[[nodiscard]] std::string KnownTimeText(std::uint64_t microseconds);

// The checkpoint for people: lines with their line feeds.
[[nodiscard]] std::string CheckpointText(const Checkpoint& checkpoint);

}  // namespace outboxd
