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
  // Bytes from the start of `file`, of the next transaction's first event.
  std::uint64_t offset = 0;

  // The position of a server that does not have `others`: no place in a file tells
  // it any more, least of all when no GTID is left.
  void TakeOut(const GtidSet& others) {
    gtids = gtids.Minus(others);
    file.clear();
    offset = 0;
  }

  friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace outboxd::binlog
