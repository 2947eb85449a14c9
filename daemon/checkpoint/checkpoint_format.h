#pragma once

#include <string>
#include <string_view>

#include "daemon/checkpoint/checkpoint.h"
#include "daemon/error.h"

namespace outboxd {

// A checkpoint as bytes, the same in a file and in a sink that keeps it with the messages:
//
//   outboxd-checkpoint 1
//   {"relay":"shop","position":{"gtids":"...","file":"binlog.000007","offset":1234}, ...}
//   crc32 0a1b2c3d
//
// The first line names the format's version, the last the CRC-32 of all bytes before it.

// kBug: a name in it is not UTF-8.
[[nodiscard]] Result<std::string> EncodeCheckpoint(const Checkpoint& checkpoint);

// kCheckpoint: damaged, written by a newer outboxd, or not that of `relay`. `place`: where it
// stands, for the error.
[[nodiscard]] Result<Checkpoint> DecodeCheckpoint(std::string_view contents,
                                                  const std::string& relay,
                                                  const std::string& place);

}  // namespace outboxd
