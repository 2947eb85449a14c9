#pragma once

#include <cstddef>
#include <cstdint>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"

namespace outboxd::binlog {

// Format: MySQL 9.7 libs/mysql/binlog/event/binlog_event.h, Log_event_type.
enum class EventType : std::uint8_t {
  kQuery = 2,
  kStop = 3,
  kRotate = 4,
  kIntvar = 5,
  kRand = 13,
  kUserVar = 14,
  kFormatDescription = 15,
  kXid = 16,
  kBeginLoadQuery = 17,
  kExecuteLoadQuery = 18,
  kTableMap = 19,
  kWriteRowsV1 = 23,
  kUpdateRowsV1 = 24,
  kDeleteRowsV1 = 25,
  kIncident = 26,
  kHeartbeat = 27,
  kIgnorable = 28,
  kRowsQuery = 29,
  kWriteRows = 30,
  kUpdateRows = 31,
  kDeleteRows = 32,
  kGtid = 33,
  kAnonymousGtid = 34,
  kPreviousGtids = 35,
  kTransactionContext = 36,
  kViewChange = 37,
  kXaPrepare = 38,
  kPartialUpdateRows = 39,
  kTransactionPayload = 40,
  kHeartbeatV2 = 41,
  kGtidTagged = 42,
};

// Inserts, updates and deletes of rows, in any version.
[[nodiscard]] bool IsRowsEvent(EventType type);

inline constexpr std::size_t kEventHeaderBytes = 19;
inline constexpr std::size_t kChecksumBytes = 4;

// The 19 bytes in front of every binlog event since MySQL 5.0.
struct EventHeader {
  static constexpr std::uint16_t kInUse = 0x01;       // On FORMAT_DESCRIPTION only.
  static constexpr std::uint16_t kArtificial = 0x20;  // Made by the sender, not in the file.
  static constexpr std::uint16_t kIgnorable = 0x80;   // May be skipped by who does not know it.

  std::uint32_t timestamp;  // Seconds since the epoch; 0 in artificial events.
  EventType type;
  std::uint32_t server_id;
  std::uint32_t length;   // Of the whole event, header and checksum included.
  std::uint32_t log_pos;  // Low 32 bits of the offset behind the event; 0 in artificial events.
  std::uint16_t flags;
};

// kCorrupt: shorter than a header, or its length field is not the length of `event`.
[[nodiscard]] Result<EventHeader> ParseEventHeader(Bytes event);

// The header at the start of `bytes`, whatever follows. kCorrupt: there is no room for one.
[[nodiscard]] Result<EventHeader> ParseHeaderFields(Bytes bytes);

// Whether the CRC32 in the last four bytes of `event` is right. A FORMAT_DESCRIPTION event's CRC is
// defined with the in-use flag cleared, which the file it stands in may have set.
[[nodiscard]] bool ChecksumIsRight(Bytes event);

}  // namespace outboxd::binlog
