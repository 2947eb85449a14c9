#include "binlog/mysql_server.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "binlog/mysql_replication.h"
#include "binlog/table_filter.h"

namespace outboxd::binlog {
namespace {

// In front of the bytes of an encrypted file (MySQL 9.7 manual, "Encrypting Binary Log Files and
// Relay Log Files").
constexpr std::uint64_t kEncryptionHeaderBytes = 512;

std::string TextOf(const std::optional<std::string>& field) { return field.value_or(""); }

std::uint64_t NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A pattern of '*' and '?' as one of LIKE.
std::string LikePattern(std::string_view pattern) {
  std::string like;
  for (const char c : pattern) {
    if (c == '*') {
      like += '%';
    } else if (c == '?') {
      like += '_';
    } else {
      if (c == '%' || c == '_' || c == '\\') like += '\\';
      like += c;
    }
  }
  return like;
}

bool GrantsGlobally(const std::vector<ResultRow>& grants, std::string_view privilege) {
  return std::ranges::any_of(grants, [privilege](const ResultRow& row) {
    const std::string grant = TextOf(row[0]);
    const std::size_t scope = grant.find(" ON *.* TO ");
    if (scope == std::string::npos) return false;
    const std::string_view privileges = std::string_view(grant).substr(0, scope);
    return privileges.find(privilege) != std::string_view::npos ||
           privileges.find("ALL PRIVILEGES") != std::string_view::npos;
  });
}

// A statement that has another name since some version of 8.
Result<std::vector<ResultRow>> QueryRenamed(MysqlConnection& connection, std::string_view statement,
                                            std::string_view former, std::size_t columns_min) {
  auto rows = connection.Query(statement, columns_min);
  if (rows || rows.error().kind != ErrorKind::kUnsuitable) return rows;
  return connection.Query(former, columns_min);
}

// The end of the log: file, offset, binlog_do_db, binlog_ignore_db, and mostly the GTIDs.
Result<std::vector<ResultRow>> LogStatus(MysqlConnection& connection) {
  return QueryRenamed(connection, "SHOW BINARY LOG STATUS", "SHOW MASTER STATUS", 4);
}

// No rows where the account may not ask.
Result<std::vector<ResultRow>> IfAllowed(Result<std::vector<ResultRow>> rows) {
  if (!rows && rows.error().kind == ErrorKind::kDenied) return std::vector<ResultRow>();
  return rows;
}

std::vector<std::string> SplitNames(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    names.emplace_back(name);
    list.remove_prefix(std::min(name.size() + 1, list.size()));
  }
  return names;
}

// What takes REPLICATION CLIENT to ask.
Result<void> AddReplicationFacts(MysqlConnection& connection, ServerFacts& facts) {
  auto log = IfAllowed(LogStatus(connection));
  if (!log) return std::unexpected(log.error());
  if (!log->empty()) {
    facts.binlog_do_db = SplitNames(TextOf(log->front()[2]));
    facts.binlog_ignore_db = SplitNames(TextOf(log->front()[3]));
  }
  auto sources = IfAllowed(QueryRenamed(connection, "SHOW REPLICA STATUS", "SHOW SLAVE STATUS", 0));
  if (!sources) return std::unexpected(sources.error());
  facts.is_replica = !sources->empty();
  return {};
}

// The condition for a column of this type to hold a time that is more than `age` ago. Earlier ones
// than 1970 are none that a message can have.
std::optional<std::string> OlderThan(const std::string& column, std::string_view type,
                                     std::chrono::milliseconds age) {
  if (type.starts_with("datetime") || type.starts_with("timestamp")) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    return fmt::format("{0} >= '1970-01-01' AND {0} < UTC_TIMESTAMP() - INTERVAL {1} SECOND",
                       column, seconds);
  }
  if (type.starts_with("bigint")) {
    return fmt::format("{0} >= 0 AND {0} < UNIX_TIMESTAMP() * 1000 - {1}", column, age.count());
  }
  return std::nullopt;
}

}  // namespace

Result<MysqlServer> MysqlServer::Connect(const ConnectionOptions& options) {
  auto connection = MysqlConnection::Connect(options);
  if (!connection) return Fail(connection.error(), "mysql at {}", AddressText(options));
  return MysqlServer(std::move(*connection));
}

Result<ServerFacts> MysqlServer::Facts() {
  auto rows = connection_.Query(
      "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_uuid', 'gtid_mode',"
      " 'log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_metadata', 'binlog_checksum',"
      " 'sync_binlog', 'innodb_flush_log_at_trx_commit', 'binlog_expire_logs_seconds',"
      " 'lower_case_table_names', 'log_replica_updates', 'log_slave_updates')",
      2);
  if (!rows) return std::unexpected(rows.error());
  std::map<std::string, std::string> values;
  for (const ResultRow& row : *rows) values[TextOf(row[0])] = TextOf(row[1]);
  ServerFacts facts;
  facts.version = values["version"];
  facts.server_uuid = values["server_uuid"];
  facts.gtid_mode = values["gtid_mode"];
  facts.log_bin = values["log_bin"] == "ON";
  facts.binlog_format = values["binlog_format"];
  facts.binlog_row_image = values["binlog_row_image"];
  facts.binlog_row_metadata = values["binlog_row_metadata"];
  facts.binlog_checksum = values["binlog_checksum"];
  facts.sync_binlog = values["sync_binlog"];
  facts.innodb_flush_log_at_trx_commit = values["innodb_flush_log_at_trx_commit"];
  facts.binlog_expire_seconds = NumberOf(values["binlog_expire_logs_seconds"]);
  facts.lower_case_table_names = values["lower_case_table_names"];
  // The former name is the only one before 8.0.26.
  facts.log_replica_updates =
      values["log_replica_updates"] == "ON" || values["log_slave_updates"] == "ON";
  if (!facts.log_bin) return facts;
  if (auto added = AddReplicationFacts(connection_, facts); !added) {
    return std::unexpected(added.error());
  }
  return facts;
}

Result<std::vector<MissingPrivilege>> MysqlServer::MissingPrivileges(
    const std::vector<std::pair<std::string, std::string>>& tables) {
  const auto account = connection_.AccountName();
  if (!account) return std::unexpected(account.error());
  auto grants = connection_.Query("SHOW GRANTS", 1);
  if (!grants) return std::unexpected(grants.error());
  std::vector<MissingPrivilege> missing;
  for (const char* privilege : {"REPLICATION SLAVE", "REPLICATION CLIENT"}) {
    if (GrantsGlobally(*grants, privilege)) continue;
    missing.push_back({privilege, fmt::format("GRANT {} ON *.* TO {}", privilege, *account)});
  }
  for (const auto& [schema_name, table_name] : tables) {
    if (IsPattern(schema_name) || IsPattern(table_name)) continue;
    const std::string name =
        fmt::format("{}.{}", QuoteIdentifier(schema_name), QuoteIdentifier(table_name));
    auto probe = connection_.Query(fmt::format("SELECT 1 FROM {} LIMIT 0", name));
    if (probe || probe.error().kind == ErrorKind::kUnsuitable)
      continue;  // No such table: not ours.
    if (probe.error().kind != ErrorKind::kDenied) return std::unexpected(probe.error());
    missing.push_back({fmt::format("SELECT on {}.{}", schema_name, table_name),
                       fmt::format("GRANT SELECT ON {} TO {}", name, *account)});
  }
  return missing;
}

Result<std::vector<TableFacts>> MysqlServer::DescribeTables(std::string_view schema_pattern,
                                                            std::string_view table_pattern) {
  const std::string schema_like = connection_.Quote(LikePattern(schema_pattern));
  const std::string table_like = connection_.Quote(LikePattern(table_pattern));
  auto tables = connection_.Query(
      fmt::format(
          "SELECT t.table_schema, t.table_name, t.engine, e.transactions FROM"
          " information_schema.tables t LEFT JOIN information_schema.engines e ON e.engine ="
          " t.engine WHERE t.table_schema LIKE {} AND t.table_name LIKE {} AND t.table_type = 'BASE"
          " TABLE' ORDER BY 1, 2",
          schema_like, table_like),
      4);
  if (!tables) return std::unexpected(tables.error());
  std::vector<TableFacts> all;
  for (const ResultRow& row : *tables) {
    TableFacts facts;
    facts.schema_name = TextOf(row[0]);
    facts.table_name = TextOf(row[1]);
    facts.engine = TextOf(row[2]);
    facts.engine_is_transactional = TextOf(row[3]) == "YES";
    if (!FitsPattern(facts.schema_name, schema_pattern) ||
        !FitsPattern(facts.table_name, table_pattern)) {
      continue;
    }
    auto columns = DescribeColumns(facts.schema_name, facts.table_name);
    if (!columns) return std::unexpected(columns.error());
    facts.columns = std::move(*columns);
    auto key = connection_.Query(
        fmt::format(
            "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = {}"
            " AND table_name = {} AND constraint_name = 'PRIMARY' ORDER BY ordinal_position",
            connection_.Quote(facts.schema_name), connection_.Quote(facts.table_name)),
        1);
    if (!key) return std::unexpected(key.error());
    for (const ResultRow& column : *key) facts.primary_key.push_back(TextOf(column[0]));
    all.push_back(std::move(facts));
  }
  return all;
}

Result<std::vector<ColumnFacts>> MysqlServer::DescribeColumns(std::string_view schema_name,
                                                              std::string_view table_name) {
  auto rows = connection_.Query(
      fmt::format("SELECT c.column_name, c.column_type, c.is_nullable, c.character_set_name, l.id,"
                  " c.character_octet_length, c.extra FROM information_schema.columns c LEFT JOIN"
                  " information_schema.collations l ON l.collation_name = c.collation_name WHERE"
                  " c.table_schema = {} AND c.table_name = {} ORDER BY c.ordinal_position",
                  connection_.Quote(schema_name), connection_.Quote(table_name)),
      7);
  if (!rows) return std::unexpected(rows.error());
  std::vector<ColumnFacts> columns;
  for (const ResultRow& row : *rows) {
    columns.push_back(
        {.name = TextOf(row[0]),
         .type = TextOf(row[1]),
         .nullable = TextOf(row[2]) == "YES",
         .character_set = TextOf(row[3]),
         .collation = static_cast<std::uint32_t>(NumberOf(TextOf(row[4]))),
         .octet_length = static_cast<std::uint32_t>(NumberOf(TextOf(row[5]))),
         .is_auto_increment = TextOf(row[6]).find("auto_increment") != std::string::npos});
  }
  return columns;
}

Result<Position> MysqlServer::CurrentPosition() {
  auto gtid_mode = connection_.QueryValue("SELECT @@global.gtid_mode");
  if (!gtid_mode) return std::unexpected(gtid_mode.error());
  if (TextOf(*gtid_mode) == "ON") {
    // A GTID joins gtid_executed after its transaction was committed in the engine (MySQL 9.7
    // sql/binlog.cc, process_commit_stage_queue()), so that a later SELECT sees its rows; every
    // other transaction comes behind this set in the log.
    auto executed = connection_.QueryValue("SELECT @@global.gtid_executed");
    if (!executed) return std::unexpected(executed.error());
    auto gtids = GtidSet::Parse(TextOf(*executed));
    if (!gtids) return std::unexpected(gtids.error());
    return Position{.gtids = std::move(*gtids), .file = {}, .offset = 0};
  }
  auto status = LogStatus(connection_);
  if (!status) return std::unexpected(status.error());
  if (status->empty()) return Fail(ErrorKind::kUnsuitable, "the server has no binary log");
  // The set matches file and offset, so that a later change of gtid_mode to ON finds it known.
  auto gtids = GtidSet::Parse(status->front().size() > 4 ? TextOf(status->front()[4]) : "");
  if (!gtids) return std::unexpected(gtids.error());
  return Position{.gtids = std::move(*gtids),
                  .file = TextOf(status->front()[0]),
                  .offset = NumberOf(TextOf(status->front()[1]))};
}

Result<LogEnd> MysqlServer::EndOfLog() {
  auto status = LogStatus(connection_);
  if (!status) return std::unexpected(status.error());
  if (status->empty()) return Fail(ErrorKind::kUnsuitable, "the server has no binary log");
  return LogEnd{.file = TextOf(status->front()[0]), .offset = NumberOf(TextOf(status->front()[1]))};
}

Result<std::vector<LogFile>> MysqlServer::LogFiles() {
  auto rows = connection_.Query("SHOW BINARY LOGS", 2);
  if (!rows) return std::unexpected(rows.error());
  std::vector<LogFile> files;
  for (const ResultRow& row : *rows) {
    const std::uint64_t size = NumberOf(TextOf(row[1]));
    // The server counts the header of an encrypted file, which no offset does (MySQL 9.7
    // sql/rpl_source.cc, show_binlogs()). Before 8.0.14 there is no such column.
    const bool is_encrypted = row.size() > 2 && TextOf(row[2]) == "Yes";
    const std::uint64_t header = is_encrypted ? kEncryptionHeaderBytes : 0;
    files.push_back({.name = TextOf(row[0]), .end_offset = size - std::min(size, header)});
  }
  return files;
}

Result<Position> MysqlServer::EarliestPosition() {
  auto gtid_mode = connection_.QueryValue("SELECT @@global.gtid_mode");
  if (!gtid_mode) return std::unexpected(gtid_mode.error());
  if (TextOf(*gtid_mode) == "ON") {
    auto purged = connection_.QueryValue("SELECT @@global.gtid_purged");
    if (!purged) return std::unexpected(purged.error());
    auto gtids = GtidSet::Parse(TextOf(*purged));
    if (!gtids) return std::unexpected(gtids.error());
    return Position{.gtids = std::move(*gtids), .file = {}, .offset = 0};
  }
  auto logs = connection_.Query("SHOW BINARY LOGS", 1);
  if (!logs) return std::unexpected(logs.error());
  if (logs->empty()) return Fail(ErrorKind::kUnsuitable, "the server has no binary log");
  return Position{.gtids = {}, .file = TextOf(logs->front()[0]), .offset = 4};
}

Result<std::optional<MissingPrivilege>> MysqlServer::MissingXaPrivilege() {
  // Before 8.0 it takes no privilege.
  auto prepared = connection_.Query("XA RECOVER");
  if (prepared) return std::nullopt;
  if (MayPass(prepared.error().kind)) return std::unexpected(prepared.error());
  const auto account = connection_.AccountName();
  if (!account) return std::unexpected(account.error());
  return MissingPrivilege{"XA_RECOVER_ADMIN",
                          fmt::format("GRANT XA_RECOVER_ADMIN ON *.* TO {}", *account)};
}

Result<std::optional<MissingPrivilege>> MysqlServer::MissingGroupPrivilege() {
  auto group = AskForGroup(connection_);
  if (!group) return std::unexpected(group.error());
  if (group->empty()) return std::nullopt;
  const auto member = AskForMember(connection_, *group);
  if (member) return std::nullopt;
  if (member.error().kind != ErrorKind::kDenied) return std::unexpected(member.error());
  const auto account = connection_.AccountName();
  if (!account) return std::unexpected(account.error());
  return MissingPrivilege{GroupPrivileges(), GroupGrants(*account)};
}

Result<std::vector<Cascade>> MysqlServer::Cascades(const TableFacts& table) {
  auto rows = connection_.Query(
      fmt::format("SELECT constraint_name, delete_rule, update_rule, unique_constraint_schema,"
                  " referenced_table_name FROM information_schema.referential_constraints WHERE"
                  " constraint_schema = {} AND table_name = {} ORDER BY 1",
                  connection_.Quote(table.schema_name), connection_.Quote(table.table_name)),
      5);
  if (!rows) return std::unexpected(rows.error());
  const auto changes_rows = [](std::string_view rule) {
    return rule == "CASCADE" || rule == "SET NULL";
  };
  std::vector<Cascade> cascades;
  for (const ResultRow& row : *rows) {
    const std::string on_delete = TextOf(row[1]);
    const std::string on_update = TextOf(row[2]);
    std::string rules;
    if (changes_rows(on_delete)) rules = "ON DELETE " + on_delete;
    if (changes_rows(on_update))
      rules += (rules.empty() ? "ON UPDATE " : ", ON UPDATE ") + on_update;
    if (rules.empty()) continue;
    cascades.push_back({.schema_name = table.schema_name,
                        .table_name = table.table_name,
                        .name = TextOf(row[0]),
                        .rules = std::move(rules),
                        .parent = fmt::format("{}.{}", TextOf(row[3]), TextOf(row[4]))});
  }
  return cascades;
}

Result<bool> MysqlServer::LogsCascades() {
  auto rows = connection_.Query("SHOW GLOBAL VARIABLES LIKE 'innodb\\_native\\_foreign\\_keys'", 2);
  if (!rows) return std::unexpected(rows.error());
  return !rows->empty() && TextOf(rows->front()[1]) == "OFF";
}

Result<std::uint64_t> MysqlServer::EstimatedRows(const TableFacts& table) {
  auto rows = connection_.QueryValue(
      fmt::format("SELECT table_rows FROM information_schema.tables WHERE table_schema = {} AND"
                  " table_name = {}",
                  connection_.Quote(table.schema_name), connection_.Quote(table.table_name)));
  if (!rows) return std::unexpected(rows.error());
  return NumberOf(TextOf(*rows));
}

Result<std::optional<std::uint64_t>> MysqlServer::CountOlder(const TableFacts& table,
                                                             std::string_view column,
                                                             std::chrono::milliseconds age,
                                                             std::uint64_t rows_max) {
  const ColumnFacts* const facts = FindColumn(table.columns, column);
  if (facts == nullptr) return std::nullopt;
  const auto is_older = OlderThan(QuoteIdentifier(facts->name), facts->type, age);
  if (!is_older) return std::nullopt;
  auto rows = connection_.QueryValue(fmt::format(
      "SELECT /*+ MAX_EXECUTION_TIME(5000) */ COUNT(*) FROM (SELECT 1 FROM {}.{} WHERE"
      " {} LIMIT {}) AS older",
      QuoteIdentifier(table.schema_name), QuoteIdentifier(table.table_name), *is_older, rows_max));
  if (rows && *rows) return NumberOf(**rows);
  if (!rows && MayPass(rows.error().kind)) return std::unexpected(rows.error());
  return std::nullopt;
}

Result<std::vector<std::pair<std::uint32_t, std::string>>> MysqlServer::Collations() {
  auto rows =
      connection_.Query("SELECT id, character_set_name FROM information_schema.collations", 2);
  if (!rows) return std::unexpected(rows.error());
  std::vector<std::pair<std::uint32_t, std::string>> collations;
  for (const ResultRow& row : *rows) {
    if (!row[0] || !row[1]) continue;
    collations.emplace_back(static_cast<std::uint32_t>(NumberOf(*row[0])), *row[1]);
  }
  return collations;
}

}  // namespace outboxd::binlog
