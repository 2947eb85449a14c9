#pragma once

#include <cstdint>
#include <optional>

#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"

namespace outboxd {

// How much memory a relay takes, in bytes. The largest event decides: the client library joins the
// packets of an event before it hands them over.

// At most, as long as no event is larger than `event_bytes`.
[[nodiscard]] std::uint64_t MemoryNeed(const Config& config, std::uint64_t event_bytes);

// The largest event that a process with this limit (daemon/service/memory_limit.h) can take without
// being killed for it; as large as an event can be where there is no limit. At least 1 MiB, however
// low the limit is.
[[nodiscard]] std::uint64_t EventBytesMax(const Config& config, std::optional<std::uint64_t> limit);

// For `check`: the MemoryMax= of a unit for a server whose sessions can send so large a packet.
[[nodiscard]] Finding CheckMemory(const Config& config, std::uint64_t max_allowed_packet);

}  // namespace outboxd
