#pragma once

#include <cstdint>
#include <optional>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/event_header.h"
#include "binlog/gtid.h"

namespace outboxd::binlog {

// The binlog event that opens every transaction and DDL since MySQL 5.7: GTID, GTID_TAGGED or
// ANONYMOUS_GTID.
struct GtidEvent {
  std::optional<Gtid> gtid;  // None: anonymous.
  // When the transaction was committed on the server it was first run on, in microseconds since the
  // epoch; 0: the server does not tell (before 8.0). The same on every server.
  std::uint64_t original_commit_us = 0;
};

// `body`: after the header, without checksum. Short forms of older servers are accepted.
// Format: MySQL 9.7 libs/mysql/binlog/event/control_events.cpp, Gtid_event::Gtid_event(), and for
// GTID_TAGGED libs/mysql/serialization/readme.md.
[[nodiscard]] Result<GtidEvent> ParseGtidEvent(EventType type, Bytes body);

}  // namespace outboxd::binlog
