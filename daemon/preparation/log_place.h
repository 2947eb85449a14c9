#pragma once

#include <string>

#include "binlog/event_source.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/config/config.h"

namespace outboxd {

// Whether a relay could read the log from there: opens it as a relay does, and looks at its first
// events. Errors as binlog::EventSource's, among them kGone and kDiverged. Disturbs no relay.
[[nodiscard]] binlog::Result<void> CheckLogPlace(const MysqlConfig& config,
                                                 const Progress& progress);

// What a relay leaves out and repeats that begins at `to` in place of `from`, for people: a line
// for each, with its line feed; empty: it is the same place.
[[nodiscard]] std::string MoveText(const binlog::Position& from, const binlog::Position& to);

}  // namespace outboxd
