#include "daemon/preparation/readiness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace outboxd {
namespace {

Finding Ok(std::string subject, std::string found) {
  return {Finding::Level::kOk, std::move(subject), std::move(found), {}, ExitCode::kOk};
}

Finding Warning(std::string subject, std::string found, std::string remedy) {
  return {Finding::Level::kWarning, std::move(subject), std::move(found), std::move(remedy),
          ExitCode::kOk};
}

Finding Problem(std::string subject, std::string found, std::string remedy,
                ExitCode exit_code = ExitCode::kConfiguration) {
  return {Finding::Level::kProblem, std::move(subject), std::move(found), std::move(remedy),
          exit_code};
}

bool IsMariaDb(const binlog::ServerFacts& facts) {
  return facts.version.find("MariaDB") != std::string::npos;
}

Finding CheckGtidMode(const binlog::ServerFacts& facts) {
  if (facts.gtid_mode == "ON") return Ok("gtid_mode", "ON");
  return Warning(
      "gtid_mode",
      fmt::format("{}: positions are a file and offset, and end with a failover", facts.gtid_mode),
      "SET PERSIST enforce_gtid_consistency = ON; then SET PERSIST gtid_mode ="
      " OFF_PERMISSIVE, ON_PERMISSIVE, ON in turn");
}

Finding CheckDurability(const binlog::ServerFacts& facts) {
  if (facts.sync_binlog == "1" && facts.innodb_flush_log_at_trx_commit == "1") {
    return Ok("durability", "sync_binlog = 1, innodb_flush_log_at_trx_commit = 1");
  }
  return Warning("durability",
                 fmt::format("sync_binlog = {}, innodb_flush_log_at_trx_commit = {}: a crash of the"
                             " server can take back what was published",
                             facts.sync_binlog, facts.innodb_flush_log_at_trx_commit),
                 "SET PERSIST sync_binlog = 1; SET PERSIST innodb_flush_log_at_trx_commit = 1");
}

Finding CheckRowMetadata(const binlog::ServerFacts& facts) {
  if (facts.binlog_row_metadata == "FULL") return Ok("binlog_row_metadata", "FULL");
  return Warning("binlog_row_metadata",
                 fmt::format("{}: the log does not name columns", facts.binlog_row_metadata.empty()
                                                                      ? "not known to this server"
                                                                      : facts.binlog_row_metadata),
                 "SET PERSIST binlog_row_metadata = FULL, or declare 'columns = a,b,c'");
}

// Whether all rows of an event table count only if their transaction commits.
Finding CheckEngine(const binlog::TableFacts& table, const std::string& name) {
  if (table.engine_is_transactional || table.engine == "BLACKHOLE") {
    return Ok(name, fmt::format("engine {}", table.engine));
  }
  return Problem(
      name,
      fmt::format("engine {} cannot roll back: rows of a rolled-back transaction would"
                  " be published",
                  table.engine),
      fmt::format("ALTER TABLE `{}`.`{}` ENGINE = InnoDB", table.schema_name, table.table_name));
}

Finding CheckColumns(const binlog::TableFacts& table, const std::string& name,
                     const OutboxMapping& mapping) {
  std::vector<std::string> columns;
  for (const binlog::ColumnFacts& column : table.columns) columns.push_back(column.name);
  const std::vector<std::string> missing = mapping.MissingColumns(columns);
  if (missing.empty()) {
    return Ok(name, fmt::format("columns {}", fmt::join(mapping.columns(), ", ")));
  }
  return Problem(name,
                 fmt::format("no column '{}'; it has {}", fmt::join(missing, "', '"),
                             fmt::join(columns, ", ")),
                 "name the table's own columns in [outbox]: id, key, payload, topic, header");
}

// How the columns of a log without names are told: as declared, or by the table as it is.
Finding CheckNameless(const binlog::TableFacts& table, const std::string& name,
                      const binlog::TableSelection& selection, bool has_signs) {
  std::vector<std::string> columns;
  for (const binlog::ColumnFacts& column : table.columns) columns.push_back(column.name);
  const std::string line = fmt::format("columns = {}", fmt::join(columns, ","));
  if (!selection.declared_columns.empty()) {
    if (selection.declared_columns == columns) {
      return Ok(name, "columns are declared as the table has them");
    }
    // Rows of another number of columns are refused one by one: older ones may be meant.
    if (selection.declared_columns.size() != columns.size()) {
      return Warning(name, "'columns' differs from the table as it is now: rows of now will not do",
                     fmt::format("once the older rows are read, in [outbox]: {}", line));
    }
    return Problem(name, "'columns' differs from the table as it is now",
                   fmt::format("in [outbox]: {}", line));
  }
  if (const auto twins = binlog::FindTwins(table.columns, selection.columns, has_signs)) {
    return Problem(name,
                   fmt::format("the log does not name columns, and '{}' and '{}' look alike in it",
                               twins->first, twins->second),
                   fmt::format("SET PERSIST binlog_row_metadata = FULL, or in [outbox]: {}", line));
  }
  return Ok(name, "columns are told by their types, each of which occurs once");
}

Finding NoSuchTable(const binlog::TableSelection& selection) {
  std::string name = fmt::format("{}.{}", selection.schema_pattern, selection.table_pattern);
  if (name.find_first_of("*?") != std::string::npos) {
    return Warning(std::move(name), "no table fits this pattern yet", "");
  }
  return Problem(std::move(name), "there is no such table, or the account cannot see it",
                 "create it (see 'The event table' in the README), or mend outbox.table");
}

}  // namespace

std::vector<Finding> CheckServerSettings(const binlog::ServerFacts& facts) {
  std::vector<Finding> findings;
  if (IsMariaDb(facts)) {
    findings.push_back(Problem("server", fmt::format("{}: MariaDB is not supported", facts.version),
                               "use MySQL 5.7 or later, or Percona Server"));
    return findings;
  }
  findings.push_back(Ok("server", fmt::format("{}, {}", facts.version, facts.server_uuid)));
  if (!facts.log_bin) {
    findings.push_back(Problem("log_bin", "OFF: there is no binary log to read",
                               "in my.cnf: [mysqld] log_bin = binlog, then restart the server"));
    return findings;
  }
  findings.push_back(Ok("log_bin", "ON"));
  if (facts.binlog_format == "ROW") {
    findings.push_back(Ok("binlog_format", "ROW"));
  } else {
    findings.push_back(Problem("binlog_format",
                               fmt::format("{}: rows would not be in the log", facts.binlog_format),
                               "SET PERSIST binlog_format = ROW, and reconnect the application"));
  }
  if (facts.binlog_row_image == "FULL") {
    findings.push_back(Ok("binlog_row_image", "FULL"));
  } else {
    findings.push_back(
        Problem("binlog_row_image",
                fmt::format("{}: columns can be missing from rows", facts.binlog_row_image),
                "SET PERSIST binlog_row_image = FULL, and reconnect the application"));
  }
  findings.push_back(CheckRowMetadata(facts));
  findings.push_back(CheckGtidMode(facts));
  findings.push_back(CheckDurability(facts));
  return findings;
}

binlog::Result<std::vector<Finding>> CheckPrivileges(binlog::MysqlServer& server,
                                                     const EventTables& tables) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const binlog::TableSelection& selection : tables.selections) {
    names.emplace_back(selection.schema_pattern, selection.table_pattern);
  }
  auto missing = server.MissingPrivileges(names);
  if (!missing) return std::unexpected(missing.error());
  std::vector<Finding> findings;
  for (binlog::MissingPrivilege& privilege : *missing) {
    findings.push_back(Problem("privileges", fmt::format("{} is missing", privilege.privilege),
                               std::move(privilege.grant), ExitCode::kDenied));
  }
  if (findings.empty()) {
    findings.push_back(Ok("privileges", "REPLICATION SLAVE, REPLICATION CLIENT, SELECT"));
  }
  return findings;
}

std::vector<Finding> CheckEventTables(const EventTables& tables,
                                      const std::vector<DescribedTable>& found,
                                      std::string_view row_metadata) {
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < tables.selections.size(); ++i) {
    const binlog::TableSelection& selection = tables.selections[i];
    bool is_found = false;
    for (const auto& [selection_index, table] : found) {
      if (selection_index != i) continue;
      is_found = true;
      const std::string name = fmt::format("{}.{}", table.schema_name, table.table_name);
      findings.push_back(CheckEngine(table, name));
      findings.push_back(CheckColumns(table, name, tables.mappings[i]));
      if (row_metadata != "FULL") {
        findings.push_back(CheckNameless(table, name, selection, row_metadata == "MINIMAL"));
      }
    }
    if (!is_found) findings.push_back(NoSuchTable(selection));
  }
  return findings;
}

const Finding* FirstProblem(const std::vector<Finding>& findings) {
  const auto found = std::ranges::find(findings, Finding::Level::kProblem, &Finding::level);
  return found == findings.end() ? nullptr : &*found;
}

}  // namespace outboxd
