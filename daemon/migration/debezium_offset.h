#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/checkpoint/checkpoint.h"
#include "daemon/error.h"

namespace outboxd {

// The place that Debezium's MySQL connector stores: a boundary between two transactions, before
// the one in which it stood. `event` and `row` of the stored offset, which count what of that
// transaction was published already, are left out, so that a take-over may repeat up to one
// transaction and never leaves anything out.
struct DebeziumOffset {
  std::string gtids;  // Empty: read without GTIDs.
  std::string file;
  std::uint64_t offset = 0;  // In bytes; in front of the transaction's BEGIN.
};

// Reads an offset as Connect's REST interface gives it (GET /connectors/NAME/offsets), or as it
// stands in the offsets topic: the value, or lines "KEY<tab>VALUE" of one connector, whose last one
// counts. kConfiguration: neither; several connectors; a snapshot that is under way, whose rows
// would be lost.
[[nodiscard]] Result<DebeziumOffset> ParseDebeziumOffset(std::string_view text);

// What PATCH /connectors/NAME/offsets takes, for a connector whose topic.prefix is `topic_prefix`.
// kConfiguration: the initial table read is not done, or no place in a file is known.
[[nodiscard]] Result<std::string> DebeziumOffsetOf(const Checkpoint& checkpoint,
                                                   const std::string& topic_prefix);

}  // namespace outboxd
