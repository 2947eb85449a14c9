#pragma once

#include <cstdint>
#include <vector>

#include "binlog/log_readers.h"
#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"

namespace outboxd {

// What the relay of this configuration says of itself to the server, for other relays to see.
[[nodiscard]] binlog::RelayAttributes AttributesOf(const Config& config);

// Whether another relay publishes the same rows, and whether somebody else has the relay's number:
// two relays of one name end each other, two of different names do not, and each event is published
// by both. `server_id`: the server's own; 0: not told.
[[nodiscard]] std::vector<Finding> CheckLogReaders(const binlog::RelayAttributes& own,
                                                   const binlog::LogReaders& readers,
                                                   std::uint32_t server_id);

}  // namespace outboxd
