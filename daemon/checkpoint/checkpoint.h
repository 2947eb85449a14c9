#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/position.h"
#include "daemon/error.h"

namespace outboxd {

// An XA transaction that is prepared with events and waits for its decision.
struct HeldXa {
  std::string xid;
  std::string place;         // GTID, or file and offset.
  std::uint64_t since_us{};  // When it was prepared; 0: the log does not tell.

  friend bool operator==(const HeldXa&, const HeldXa&) = default;
};

// The stored position up to which everything is delivered, and what it belongs to, so that a
// checkpoint is never used for another server, cluster or set of tables without a word.
struct Checkpoint {
  std::string relay;                // The relay's name.
  std::string server_uuid;          // Of the server the position was read from.
  std::string sink;                 // Kafka cluster id; empty for the stdout sink.
  std::vector<std::string> tables;  // The event table patterns, as configured, sorted.
  binlog::Position position;
  // Commit time of the last transaction within `position`, microseconds since the epoch; 0: none
  // seen yet. Together with its GTID it tells a reused GTID from the original.
  std::uint64_t last_commit_us = 0;
  std::string last_gtid;
  // The initial table read has not been acknowledged to its end: it starts over.
  bool table_read_pending = false;
  // XA transactions within `position` that are prepared without event rows, by name, sorted.
  std::vector<std::string> prepared = {};
  // Those with event rows, which are not within `position`, in the order of the log. For people: a
  // relay that starts reads them again.
  std::vector<HeldXa> held_xa = {};
  std::uint64_t written_at_us = 0;  // Wall clock, for people.

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

}  // namespace outboxd
