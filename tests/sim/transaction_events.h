#pragma once

#include <utility>
#include <vector>

#include "tests/binlog/event_bytes.h"
#include "tests/sim/history.h"

namespace outboxd::sim {

using EventParts = std::vector<std::pair<binlog::EventType, binlog::EventBytes>>;

// The binlog events of one transaction, the GTID event first, without headers.
[[nodiscard]] EventParts EventsOf(const Transaction& transaction, const History& history);

}  // namespace outboxd::sim
