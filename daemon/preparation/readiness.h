#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/mysql_server.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/exit_code.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {

// One thing that `check` looked at, and what mends it.
struct Finding {
  enum class Level { kOk, kWarning, kProblem };

  Level level = Level::kOk;
  std::string subject;  // "binlog_format"
  std::string found;    // "STATEMENT: rows would not be in the log"
  std::string remedy;   // The exact SQL, command or configuration line; empty when all is well.
  ExitCode exit_code = ExitCode::kOk;  // Of a run that meets this problem.
};

// A problem with its remedy and exit code.
[[nodiscard]] Finding ProblemOf(std::string subject, const Error& error);
// A problem as what ends a run, or refuses a configuration.
[[nodiscard]] Error ErrorOf(const Finding& problem);

// Everything about the MySQL side that can be known before the first row: the server's settings,
// the account's privileges, the event tables and their columns. `check` shows all findings; `run`
// ends at the first problem (source_check.h).
[[nodiscard]] std::vector<Finding> CheckServerSettings(const binlog::ServerFacts& facts);
// `missing`: what FindMissingPrivileges() found.
[[nodiscard]] std::vector<Finding> CheckPrivileges(
    const std::vector<binlog::MissingPrivilege>& missing);
// `found`: what DescribeEventTables() found. `row_metadata`: ServerFacts::binlog_row_metadata.
[[nodiscard]] std::vector<Finding> CheckEventTables(const EventTables& tables,
                                                    const std::vector<DescribedTable>& found,
                                                    std::string_view row_metadata);
// Where two events can have the same id; no findings: nowhere, as far as the tables tell.
// `version`: ServerFacts::version.
[[nodiscard]] std::vector<Finding> CheckIdentity(const EventTables& tables,
                                                 const std::vector<DescribedTable>& found,
                                                 std::string_view version);
// Whether binlog_do_db or binlog_ignore_db keeps event tables out of the log; no findings: there is
// no such filter.
[[nodiscard]] std::vector<Finding> CheckLogFilters(const binlog::ServerFacts& facts,
                                                   const EventTables& tables,
                                                   const std::vector<DescribedTable>& found);

// On a member of a group: whether the account may see what the member has received. `missing`: what
// MysqlServer::MissingGroupPrivilege() found; no findings: it may, or there is no group.
[[nodiscard]] std::vector<Finding> CheckGroup(
    const std::optional<binlog::MissingPrivilege>& missing);

// Whether a read of the event tables can miss rows; no findings: no. For a relay that begins with
// one.
[[nodiscard]] std::vector<Finding> CheckTableRead(const TableReadFacts& facts,
                                                  const binlog::ServerFacts& server,
                                                  const DeliveryConfig& delivery);

// The first problem among `findings`; null: none.
[[nodiscard]] const Finding* FirstProblem(const std::vector<Finding>& findings);

}  // namespace outboxd
