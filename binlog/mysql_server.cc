#include "binlog/mysql_server.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/comma_list.h"
#include "base/glob.h"
#include "binlog/mysql_log.h"
#include "binlog/mysql_replication.h"
#include "binlog/result_row.h"

namespace outboxd::binlog {
namespace {

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

// A name may hold blanks. A list of no names has one part, which is empty.
std::vector<std::string> SplitNames(std::string_view list) {
  auto names = SplitAtCommas(list);
  if (names.back().empty()) names.pop_back();
  return {names.begin(), names.end()};
}

// What takes REPLICATION CLIENT to ask: nothing where the account lacks it.
Result<void> AddReplicationFacts(MysqlConnection& connection, ServerFacts& facts) {
  const auto status = AskForLogStatus(connection);
  if (!status && status.error().kind != ErrorKind::kDenied) return std::unexpected(status.error());
  if (status && *status) {
    facts.binlog_do_db = SplitNames((*status)->do_db);
    facts.binlog_ignore_db = SplitNames((*status)->ignore_db);
  }
  const auto sources = connection.QueryRenamed("SHOW REPLICA STATUS", "SHOW SLAVE STATUS");
  if (sources) {
    facts.is_replica = !sources->empty();
  } else if (sources.error().kind != ErrorKind::kDenied) {
    return std::unexpected(sources.error());
  }
  return {};
}

}  // namespace

Result<MysqlServer> MysqlServer::Connect(const ConnectionOptions& options) {
  auto connection = MysqlConnection::Connect(options);
  if (!connection) return Fail(connection.error(), "mysql at {}", AddressText(options));
  return MysqlServer(std::move(*connection));
}

Result<ServerFacts> MysqlServer::Facts() {
  auto rows = connection_.Query(
      "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_id', 'server_uuid', "
      "'gtid_mode',"
      " 'log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_metadata', 'binlog_checksum',"
      " 'sync_binlog', 'innodb_flush_log_at_trx_commit',"
      " 'max_allowed_packet', 'lower_case_table_names', 'log_replica_updates', "
      "'log_slave_updates')",
      2);
  if (!rows) return std::unexpected(rows.error());
  std::map<std::string, std::string> values;
  for (const ResultRow& row : *rows) values[TextOf(row[0])] = TextOf(row[1]);
  ServerFacts facts;
  facts.version = values["version"];
  facts.server_id = static_cast<std::uint32_t>(NumberOf(values["server_id"]));
  facts.server_uuid = values["server_uuid"];
  facts.gtid_mode = values["gtid_mode"];
  facts.log_bin = values["log_bin"] == "ON";
  facts.binlog_format = values["binlog_format"];
  facts.binlog_row_image = values["binlog_row_image"];
  facts.binlog_row_metadata = values["binlog_row_metadata"];
  facts.binlog_checksum = values["binlog_checksum"];
  facts.sync_binlog = values["sync_binlog"];
  facts.innodb_flush_log_at_trx_commit = values["innodb_flush_log_at_trx_commit"];
  facts.max_allowed_packet = NumberOf(values["max_allowed_packet"]);
  facts.lower_case_table_names = values["lower_case_table_names"];
  // The former name is the only one before 8.0.26.
  facts.log_replica_updates =
      values["log_replica_updates"] == "ON" || values["log_slave_updates"] == "ON";
  if (!facts.log_bin) return facts;
  const auto expiry = AskForExpiry(connection_);
  if (!expiry) return std::unexpected(expiry.error());
  facts.log_expiry = *expiry;
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
