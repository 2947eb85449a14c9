#pragma once

#include <cstdint>
#include <string>

#include "binlog/gtid_set.h"

namespace outboxd::binlog {

// A boundary between two transactions. The GTID set tells it on every server of a replication
// group; file and offset tell it on one server only and serve where gtid_mode is not ON.
struct Position {
  GtidSet gtids;
  std::string file;  // Empty: not known.
  std::uint64_t offset =
      0;  // Bytes from the start of `file`, of the next transaction's first event.

  friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace outboxd::binlog
