#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/event_header.h"

namespace outboxd::binlog {

// The binlog events that frame the stream. `body` is always the event after its header, without
// checksum; views borrow from it. Formats: MySQL 9.7 libs/mysql/binlog/event/control_events.h.

struct FormatDescription {
  std::string server_version;
  bool has_checksums = false;    // Every event from this one on, this one in any case.
  std::uint8_t event_types = 0;  // Types above this are unknown to the server itself.
};

// `event`: the whole event, since the place of its checksum is part of what it says: the last five
// bytes are the algorithm and the CRC32, even with checksums off (MySQL 5.6.1 and later).
// kUndecodable: another format, or the log of a server before that or of MariaDB; the text names
// the version.
[[nodiscard]] Result<FormatDescription> ParseFormatDescription(Bytes event);

struct Rotate {
  std::uint64_t offset;  // In the next file.
  std::string_view file;
};
[[nodiscard]] Result<Rotate> ParseRotate(Bytes body);

// Of HEARTBEAT and HEARTBEAT_V2: everything in front of this place has been sent, or was skipped
// since the reader is known to have it.
// MySQL 9.7 sql/rpl_binlog_sender.cc, Binlog_sender::send_events() and wait_with_heartbeat().
struct Heartbeat {
  std::string_view file;     // Empty: the event does not tell.
  std::uint64_t offset = 0;  // Of HEARTBEAT the lower 32 bits only.
};
// `log_pos`: of the header, where HEARTBEAT has its offset. The fields of HEARTBEAT_V2 are a type,
// a length and a value each; unknown ones are passed over. Format: MySQL 9.7
// libs/mysql/binlog/event/codecs/binary.cpp, Heartbeat::decode().
[[nodiscard]] Heartbeat ParseHeartbeat(EventType type, std::uint32_t log_pos, Bytes body);

// The text of an INCIDENT event: the server itself lost binlog events.
[[nodiscard]] std::string_view ParseIncident(Bytes body);

// Whether XA_PREPARE is a one-phase commit, that is, the transaction is committed.
[[nodiscard]] Result<bool> ParseXaPrepareIsOnePhase(Bytes body);

}  // namespace outboxd::binlog
