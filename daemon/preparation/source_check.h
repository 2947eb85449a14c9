#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "binlog/error.h"
#include "binlog/mysql_server.h"
#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {

// What one question to the server came to.
struct SourceAnswer {
  std::string_view subject;  // "privileges": what was asked about.
  // An error: it could not be asked.
  binlog::Result<std::vector<Finding>> findings;
};

// What became known on the way.
struct CheckedSource {
  std::vector<DescribedTable> tables;
  std::uint64_t read_rows_estimate = 0;  // Of all event tables; 0: they are not read first.
};

// Asks a server all that has to be right before the first row, in the order in which one thing
// stands on another: the same for `check`, which shows everything, and for `run`, which ends at the
// first problem. `take` gets each answer, and says whether more is to be asked. None: it said no,
// or the event tables could not be described. Each question waits at most as long as the server's
// connection does.
[[nodiscard]] std::optional<CheckedSource> CheckSource(
    const Config& config, const EventTables& tables, bool begins_with_tables,
    binlog::MysqlServer& server, const binlog::ServerFacts& facts,
    const std::function<bool(SourceAnswer)>& take);

}  // namespace outboxd
