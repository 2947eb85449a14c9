#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "binlog/error.h"
#include "binlog/log_keeping.h"
#include "binlog/mysql_connection.h"
#include "binlog/mysql_server.h"
#include "daemon/preparation/readiness.h"

namespace outboxd {

// How long a server keeps its log, as it is set and as it shows; at most four statements over
// `server`, and a connection for a moment by `options`. What is not told of it is left out.
[[nodiscard]] binlog::Result<binlog::LogKeeping> AskForLogKeeping(
    binlog::MysqlServer& server, const binlog::ConnectionOptions& options);

// So long an outage is safe; a warning where that is less than a day.
[[nodiscard]] Finding CheckLogKept(const binlog::LogKeeping& keeping);

}  // namespace outboxd
