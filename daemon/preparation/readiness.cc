#include "daemon/preparation/readiness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/glob.h"
#include "binlog/any_case.h"
#include "binlog/table_filter.h"

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

Finding CheckReplicaUpdates(const binlog::ServerFacts& facts) {
  if (facts.log_replica_updates) return Ok("log_replica_updates", "ON");
  return Warning("log_replica_updates",
                 "OFF: the server is a replica, and rows that come from its source are not in its"
                 " log",
                 "in my.cnf: [mysqld] log_replica_updates = ON (before 8.0.26 log_slave_updates),"
                 " then restart the server; or read the source");
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
  const std::vector<std::string> columns = binlog::NamesOf(table.columns);
  const std::vector<std::string> missing = mapping.MissingColumns(columns);
  if (missing.empty()) {
    const auto& read = mapping.reads_whole_row() ? columns : mapping.columns();
    return Ok(name, fmt::format("columns {}", fmt::join(read, ", ")));
  }
  return Problem(name,
                 fmt::format("no column '{}'; it has {}", fmt::join(missing, "', '"),
                             fmt::join(columns, ", ")),
                 "name the table's own columns in [outbox]: id, key, payload, topic, header");
}

// How the columns of a log without names are told: as declared, or by the table as it is.
Finding CheckNameless(const binlog::TableFacts& table, const std::string& name,
                      const binlog::TableSelection& selection, bool has_signs) {
  const std::vector<std::string> columns = binlog::NamesOf(table.columns);
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
  const auto& read = selection.whole_row == binlog::WholeRow::kNo ? selection.columns : columns;
  if (const auto twins = binlog::FindTwins(table.columns, read, has_signs)) {
    return Problem(name,
                   fmt::format("the log does not name columns, and '{}' and '{}' look alike in it",
                               twins->first, twins->second),
                   fmt::format("SET PERSIST binlog_row_metadata = FULL, or in [outbox]: {}", line));
  }
  return Ok(name, "columns are told by their types, each of which occurs once");
}

bool HasSchema(const binlog::ServerFacts& facts, const std::vector<std::string>& schemas,
               std::string_view schema_name) {
  const bool has_case = facts.lower_case_table_names == "0";
  return std::ranges::any_of(schemas, [&](const std::string& other) {
    return has_case ? other == schema_name : binlog::EqualInAnyCase(other, schema_name);
  });
}

// The server compares the schema of the changed table, not that of the session, and does not look
// at binlog_ignore_db where there is a binlog_do_db.
// MySQL 9.7 sql/binlog.cc, check_table_binlog_row_based(); sql/rpl_filter.cc, Rpl_filter::db_ok().
Finding CheckLogFilter(const binlog::ServerFacts& facts, const std::string& schema_name,
                       const std::string& name) {
  const bool has_do_db = !facts.binlog_do_db.empty();
  const auto& schemas = has_do_db ? facts.binlog_do_db : facts.binlog_ignore_db;
  std::string option = has_do_db ? "binlog_do_db" : "binlog_ignore_db";
  if (HasSchema(facts, schemas, schema_name) == has_do_db) {
    return Ok(std::move(option), fmt::format("{} is logged", name));
  }
  return Problem(
      std::move(option),
      fmt::format("{}: rows of {} are not in the log", fmt::join(schemas, ","), name),
      fmt::format("in my.cnf: [mysqld] {} = {}, then restart the server",
                  has_do_db ? "further binlog_do_db" : "no binlog_ignore_db", schema_name));
}

// About schemas to come, and those whose tables are not there yet.
std::optional<Finding> WarnOfLogFilter(const binlog::ServerFacts& facts,
                                       const binlog::TableSelection& selection) {
  const std::string name = fmt::format("{}.{}", selection.schema_pattern, selection.table_pattern);
  if (!facts.binlog_do_db.empty()) {
    return Warning("binlog_do_db",
                   fmt::format("{}: rows of {} in other schemas would not be in the log",
                               fmt::join(facts.binlog_do_db, ","), name),
                   "in my.cnf: [mysqld] a binlog_do_db for each schema of event tables, or none");
  }
  for (const std::string& schema_name : facts.binlog_ignore_db) {
    if (!FitsPattern(schema_name, selection.schema_pattern)) continue;
    return Warning(
        "binlog_ignore_db",
        fmt::format("{}: rows of {} in it would not be in the log", schema_name, name),
        fmt::format("in my.cnf: [mysqld] no binlog_ignore_db = {}, then restart the server",
                    schema_name));
  }
  return std::nullopt;
}

// The log gives back the rows that are deleted or changed before the read comes to them.
std::optional<Finding> CheckCascade(const binlog::Cascade& cascade, const TableReadFacts& facts,
                                    bool is_replica, bool is_accepted) {
  std::string table = fmt::format("{}.{}", cascade.schema_name, cascade.table_name);
  const std::string key =
      fmt::format("foreign key {} ({}) to {}", cascade.name, cascade.rules, cascade.parent);
  if (facts.logs_cascades && !is_replica) return std::nullopt;
  if (facts.logs_cascades) {
    return Warning(std::move(table),
                   fmt::format("the rows that {} deletes or changes on the source are in this"
                               " replica's log only if that server logs them (MySQL 9.6 and later"
                               " with innodb_native_foreign_keys = OFF): otherwise they can be"
                               " missed while the table is read",
                               key),
                   fmt::format("leave the rows of {} alone during the read", cascade.parent));
  }
  std::string found = fmt::format(
      "the server does not log the rows that {} deletes or changes: while the table is read they "
      "can"
      " be missed, or published as they were later",
      key);
  if (is_accepted) {
    return Warning(std::move(table), std::move(found),
                   fmt::format("leave the rows of {} alone during the read", cascade.parent));
  }
  return Problem(
      std::move(table), std::move(found),
      fmt::format("ALTER TABLE `{}`.`{}` DROP FOREIGN KEY `{}`; or MySQL 9.6 or later with"
                  " innodb_native_foreign_keys = OFF; or leave the rows of {} alone during"
                  " the read, and in [delivery]: unlogged-deletes = accept",
                  cascade.schema_name, cascade.table_name, cascade.name, cascade.parent));
}

// A read that lasts longer than the server keeps its log cannot go on from where it began.
std::optional<Finding> CheckReadTime(std::uint64_t rows, std::chrono::seconds expiry,
                                     std::uint64_t max_rate) {
  // Low on purpose: rows of some KiB, over a network, into brokers that are busy.
  constexpr std::uint64_t kRowsPerSecond = 5'000;
  if (expiry.count() == 0) return std::nullopt;  // It never does.
  const std::uint64_t rate = max_rate == 0 ? kRowsPerSecond : std::min(max_rate, kRowsPerSecond);
  const std::uint64_t seconds = rows / rate;
  if (std::chrono::seconds(seconds) <= expiry / 2) return std::nullopt;
  return Warning(
      "binlog_expire_logs_seconds",
      fmt::format(
          "{}: the event tables have about {} rows, and to read them takes {} s if it goes at"
          " {} a second: the log of its beginning may be purged before its end",
          expiry.count(), rows, seconds, rate),
      fmt::format("SET PERSIST binlog_expire_logs_seconds = {}, or delete rows that need not be"
                  " published",
                  4 * seconds));
}

Finding NoSuchTable(const binlog::TableSelection& selection) {
  std::string name = fmt::format("{}.{}", selection.schema_pattern, selection.table_pattern);
  if (IsPattern(name)) {
    return Warning(std::move(name), "no table fits this pattern yet", "");
  }
  std::string mend = fmt::format(
      "create it ('outboxd init --table {}' prints the SQL), or mend outbox.table", name);
  return Problem(std::move(name), "there is no such table, or the account cannot see it",
                 std::move(mend));
}

}  // namespace

std::vector<Finding> CheckServerSettings(const binlog::ServerFacts& facts) {
  std::vector<Finding> findings;
  if (IsMariaDb(facts)) {
    findings.push_back(Problem("server", fmt::format("{}: MariaDB is not supported", facts.version),
                               "use MySQL; docs/compatibility.md names the versions that were"
                               " tested"));
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
  if (facts.is_replica) findings.push_back(CheckReplicaUpdates(facts));
  return findings;
}

std::vector<Finding> CheckPrivileges(const std::vector<binlog::MissingPrivilege>& missing) {
  std::vector<Finding> findings;
  for (const binlog::MissingPrivilege& privilege : missing) {
    // To an account that may not read a table MySQL does not tell whether there is one.
    const bool is_of_table = privilege.privilege.starts_with("SELECT on ");
    findings.push_back(Problem(
        "privileges",
        fmt::format("{} is missing{}", privilege.privilege,
                    is_of_table ? ", or there is no such table" : ""),
        fmt::format("{}{}", is_of_table ? "see that outbox.table names it rightly, then " : "",
                    privilege.grant),
        ExitCode::kDenied));
  }
  if (findings.empty()) {
    findings.push_back(Ok("privileges", "REPLICATION SLAVE, REPLICATION CLIENT, SELECT"));
  }
  return findings;
}

std::vector<Finding> CheckGroup(const std::optional<binlog::MissingPrivilege>& missing) {
  if (!missing) return {};
  return {Warning("group",
                  fmt::format("{} is missing: after a failover the relay holds, for it cannot tell"
                              " whether a member lags or a transaction is lost; and it does not"
                              " notice when the member that it reads leaves the group and stays up,"
                              " so that nothing new comes",
                              missing->privilege),
                  missing->grant)};
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

std::vector<Finding> CheckIdentity(const EventTables& tables,
                                   const std::vector<DescribedTable>& found,
                                   std::string_view version) {
  constexpr std::string_view kUuids = "let the application give the id, a UUID for example";
  std::vector<Finding> findings;
  std::vector<std::string> counted;  // Tables whose ids the server counts, each for itself.
  for (const auto& [selection, table] : found) {
    const std::string& id = tables.mappings[selection].id();
    const binlog::ColumnFacts* const column = binlog::FindColumn(table.columns, id);
    if (column == nullptr || !column->is_auto_increment) continue;
    const std::string name = fmt::format("{}.{}", table.schema_name, table.table_name);
    counted.push_back(name);
    if (table.engine == "BLACKHOLE") {
      findings.push_back(Warning(
          name, fmt::format("every row of a BLACKHOLE table has the same AUTO_INCREMENT '{}'", id),
          fmt::format("consumers dedupe by the header outboxd.position, or {}", kUuids)));
    } else if (version.starts_with("5.")) {
      findings.push_back(Warning(
          name,
          fmt::format("before MySQL 8.0 a restart gives AUTO_INCREMENT values of '{}' again where"
                      " the last rows were deleted",
                      id),
          fmt::format("keep the last row of the table, or {}", kUuids)));
    }
  }
  if (counted.size() > 1) {
    findings.push_back(
        Warning("ids",
                fmt::format("AUTO_INCREMENT counts for each table: ids of {} are alike",
                            fmt::join(counted, ", ")),
                fmt::format("consumers dedupe by the header outboxd.table and id, or {}", kUuids)));
  }
  return findings;
}

std::vector<Finding> CheckLogFilters(const binlog::ServerFacts& facts, const EventTables& tables,
                                     const std::vector<DescribedTable>& found) {
  std::vector<Finding> findings;
  if (facts.binlog_do_db.empty() && facts.binlog_ignore_db.empty()) return findings;
  for (std::size_t i = 0; i < tables.selections.size(); ++i) {
    const binlog::TableSelection& selection = tables.selections[i];
    if (!IsPattern(selection.schema_pattern)) {
      findings.push_back(
          CheckLogFilter(facts, selection.schema_pattern,
                         fmt::format("{}.{}", selection.schema_pattern, selection.table_pattern)));
      continue;
    }
    for (const auto& [selection_index, table] : found) {
      if (selection_index != i) continue;
      findings.push_back(CheckLogFilter(facts, table.schema_name,
                                        fmt::format("{}.{}", table.schema_name, table.table_name)));
    }
    if (auto warning = WarnOfLogFilter(facts, selection)) findings.push_back(*warning);
  }
  return findings;
}

std::vector<Finding> CheckTableRead(const TableReadFacts& facts, const binlog::ServerFacts& server,
                                    const DeliveryConfig& delivery) {
  const bool is_accepted = delivery.unlogged_deletes == DeliveryConfig::UnloggedDeletes::kAccept;
  std::vector<Finding> findings;
  for (const binlog::Cascade& cascade : facts.cascades) {
    auto finding = CheckCascade(cascade, facts, server.is_replica, is_accepted);
    if (finding) findings.push_back(std::move(*finding));
  }
  if (const auto& missing = facts.missing_xa_privilege) {
    findings.push_back(Warning("privileges",
                               fmt::format("{} is missing: rows of XA transactions that were"
                                           " prepared before the start may be missed, for the relay"
                                           " cannot ask for them",
                                           missing->privilege),
                               missing->grant));
  }
  auto time = CheckReadTime(facts.rows, server.log_expiry, delivery.max_rate);
  if (time) findings.push_back(std::move(*time));
  return findings;
}

Finding ProblemOf(std::string subject, const Error& error) {
  return {Finding::Level::kProblem, std::move(subject), error.message, error.hint, error.kind};
}

Error ErrorOf(const Finding& problem) {
  return {problem.exit_code, fmt::format("{}: {}", problem.subject, problem.found), problem.remedy};
}

const Finding* FirstProblem(const std::vector<Finding>& findings) {
  const auto found = std::ranges::find(findings, Finding::Level::kProblem, &Finding::level);
  return found == findings.end() ? nullptr : &*found;
}

}  // namespace outboxd
