#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"
#include "binlog/gtid_set.h"
#include "binlog/log_end.h"
#include "binlog/position.h"
#include "binlog/result_row.h"

namespace outboxd::binlog {

class MysqlConnection;

// What a server says of its binary log, over a connection that nobody else uses meanwhile. Each
// statement waits and fails as MysqlConnection::Query(); kDenied: REPLICATION CLIENT is missing.

// The set of GTIDs in a global variable: gtid_executed, gtid_purged and the like. One statement.
[[nodiscard]] Result<GtidSet> AskForGtids(MysqlConnection& connection, std::string_view variable);

// The log as of now, as SHOW BINARY LOG STATUS has it.
struct LogStatus {
  std::string file;
  std::uint64_t offset = 0;
  std::string do_db, ignore_db;  // Schemas, with commas between them; empty: none.
  std::string gtids;             // Executed up to file and offset; empty: none, or not known.
};

// None: the server has no log. At most two statements.
[[nodiscard]] Result<std::optional<LogStatus>> AskForLogStatus(MysqlConnection& connection);

// The end of the log as of now: every transaction that SELECT can see is before it. By GTID where
// gtid_mode is ON. At most three statements. kUnsuitable also: there is no log.
[[nodiscard]] Result<Position> AskForCurrentPosition(MysqlConnection& connection);

// The same as a place in a file, whatever gtid_mode is. At most two statements. kUnsuitable also:
// there is no log.
[[nodiscard]] Result<LogEnd> AskForLogEnd(MysqlConnection& connection);

// All files of the log, in their order. One statement, for which the server opens each of them.
// kUnsuitable also: there is no log.
[[nodiscard]] Result<std::vector<LogFile>> AskForLogFiles(MysqlConnection& connection);
// One of them, of its row: name, size, and since 8.0.14 whether it is encrypted.
[[nodiscard]] LogFile LogFileOf(const ResultRow& row);

// After how long the server removes a file of its log, as it is set, counted from the last write to
// it; 0: never. What else removes files it does not tell. One statement.
[[nodiscard]] Result<std::chrono::seconds> AskForExpiry(MysqlConnection& connection);

// The oldest boundary that the log still holds, by GTID where gtid_mode is ON. Two statements.
// kUnsuitable also: there is no log.
[[nodiscard]] Result<Position> AskForEarliestPosition(MysqlConnection& connection);

}  // namespace outboxd::binlog
