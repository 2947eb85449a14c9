#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "binlog/event_source.h"
#include "binlog/log_end.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// Whether a relay could read the log from there: opens it as a relay does, and takes its first
// events as a relay does, up to the beginning of a transaction. Errors as binlog::EventSource's,
// among them kGone and kDiverged, and kCorrupt: no transaction begins there. Disturbs no relay.
[[nodiscard]] binlog::Result<void> CheckLogPlace(const MysqlConfig& config,
                                                 const Progress& progress);

// Why a place that was just typed is none in a log of these files, all of a server's; none: it is
// one, or was one before the server purged the file, which CheckLogPlace() tells.
[[nodiscard]] std::optional<std::string> WhyNoPlace(const std::vector<binlog::LogFile>& files,
                                                    const std::string& file, std::uint64_t offset);

// Whether a file and offset that were just typed are such a place. kUsage: they are not.
[[nodiscard]] Result<void> CheckTypedPlace(const MysqlConfig& config, const StartChoice& start);

// What a relay leaves out and repeats that begins at `to` in place of `from`, for people: a line
// for each, with its line feed; empty: it is the same place.
[[nodiscard]] std::string MoveText(const binlog::Position& from, const binlog::Position& to);

}  // namespace outboxd
