#pragma once

#include <string>

#include "binlog/byte_cursor.h"
#include "binlog/event_header.h"

namespace outboxd::binlog {

// The name of an event's type: "TABLE_MAP", "type 99".
[[nodiscard]] std::string NameOf(EventType type);

// What an event says, in one line for people, cut where it is long; what cannot be parsed is told
// as such. Text from the log stands as it is: it may hold anything. `body`: after the header,
// without checksum; `event`: all of it.
[[nodiscard]] std::string DescribeEvent(const EventHeader& header, Bytes event, Bytes body);

// The same of a rows event, of whose body of `body_bytes` no more than the head is there.
[[nodiscard]] std::string DescribeRows(Bytes head, std::size_t body_bytes);

}  // namespace outboxd::binlog
