#include "daemon/preparation/source_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <type_traits>

#include "base/stable_hash.h"
#include "binlog/failover.h"
#include "daemon/config/config_value.h"

namespace outboxd {
namespace {

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

binlog::TlsMode TlsModeOf(const MysqlConfig& config, std::string_view host) {
  switch (config.tls) {
    case TlsChoice::kDisabled:
      return binlog::TlsMode::kDisabled;
    case TlsChoice::kRequired:
      return binlog::TlsMode::kRequired;
    case TlsChoice::kVerifyCa:
      return binlog::TlsMode::kVerifyCa;
    case TlsChoice::kVerifyIdentity:
      return binlog::TlsMode::kVerifyIdentity;
    case TlsChoice::kDefault:
      break;
  }
  if (!config.socket.empty()) return binlog::TlsMode::kDisabled;
  return IsLoopback(host) ? binlog::TlsMode::kRequired : binlog::TlsMode::kVerifyIdentity;
}

ReplicaIdentity MakeIdentity(std::uint64_t high, std::uint64_t low) {
  // Replicas that people number by hand have small numbers: stay away from them.
  constexpr std::uint32_t kLowestId = 0x40000000;
  const auto server_id = static_cast<std::uint32_t>(kLowestId | (high >> 33));
  return {server_id,
          fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                      high & 0xFFF, 0x8000 | ((low >> 48) & 0x3FFF), low & 0xFFFFFFFFFFFF)};
}

// The answer of the first host that gives one to `ask`; else the most hopeful of their errors.
template <typename Ask>
std::invoke_result_t<Ask, binlog::MysqlServer, const binlog::ConnectionOptions&> AskFirstHost(
    const MysqlConfig& config, binlog::Interrupter* interrupter, const Ask& ask) {
  std::vector<binlog::ConnectionOptions> hosts = ConnectionOptionsOf(config);
  std::vector<binlog::HostAnswer> answers;
  for (binlog::ConnectionOptions& host : hosts) {
    host.interrupter = interrupter;
    binlog::Error error{};
    if (auto server = binlog::MysqlServer::Connect(host)) {
      auto answer = ask(std::move(*server), host);
      if (answer) return answer;
      error = std::move(answer.error());
      if (hosts.size() > 1) {
        error = Fail(error, "mysql at {}", binlog::AddressText(host)).error();
      }
    } else {
      error = std::move(server.error());
    }
    if (error.kind == binlog::ErrorKind::kInterrupted) return std::unexpected(std::move(error));
    answers.emplace_back(std::move(error));
  }
  return std::unexpected(binlog::MostHopeful(answers));
}

}  // namespace

std::vector<binlog::ConnectionOptions> ConnectionOptionsOf(const MysqlConfig& config) {
  std::vector<binlog::ConnectionOptions> all;
  for (const std::string& entry : config.hosts) {
    binlog::ConnectionOptions options;
    // The configuration was checked when it was read.
    const auto address = SplitHost(entry, config.port).value_or(HostAndPort{entry, config.port});
    options.host = address.host;
    options.port = address.port;
    options.socket = config.socket;
    options.log_in = LogInOf(config);
    options.renewable = config.renewable_log_in;
    options.event_bytes_max = config.event_bytes_max;
    options.requires_writable = config.require == MysqlConfig::Require::kWritable;
    options.tls = TlsModeOf(config, options.host);
    all.push_back(std::move(options));
    if (!config.socket.empty()) break;
  }
  return all;
}

binlog::LogIn LogInOf(const MysqlConfig& config) {
  return {.user = config.user,
          .password = {.file = config.password_file, .command = config.password_command},
          .tls_ca = config.tls_ca,
          .tls_cert = config.tls_cert,
          .tls_key = config.tls_key};
}

binlog::Result<AskedServer> AskServer(const MysqlConfig& config, binlog::Interrupter* interrupter) {
  return AskFirstHost(config, interrupter,
                      [](binlog::MysqlServer server,
                         const binlog::ConnectionOptions& host) -> binlog::Result<AskedServer> {
                        auto facts = server.Facts();
                        if (!facts) return std::unexpected(facts.error());
                        return AskedServer{std::move(server), std::move(*facts), host};
                      });
}

binlog::SchemaLookup LookUpSchema(const MysqlConfig& config, binlog::Interrupter* interrupter) {
  return [config, interrupter](std::string_view schema_name, std::string_view table_name) {
    return AskFirstHost(config, interrupter, [&](binlog::MysqlServer server, const auto&) {
      return binlog::DescribeColumns(server.connection(), schema_name, table_name);
    });
  };
}

ReplicaIdentity RelayIdentity(const Config& config) {
  const std::uint64_t high = StableHash(config.relay.name, 0);
  ReplicaIdentity identity = MakeIdentity(high, StableHash(config.relay.name, high));
  if (config.mysql.server_id) identity.server_id = *config.mysql.server_id;
  return identity;
}

ReplicaIdentity RandomIdentity() {
  std::random_device device;
  std::uniform_int_distribution<std::uint64_t> any;
  return MakeIdentity(any(device), any(device));
}

binlog::MysqlEventSourceOptions SourceOptionsOf(const MysqlConfig& config,
                                                const ReplicaIdentity& identity) {
  binlog::MysqlEventSourceOptions options;
  options.hosts = ConnectionOptionsOf(config);
  options.server_id = identity.server_id;
  options.replica_uuid = identity.uuid;
  options.heartbeat = config.heartbeat;
  options.read_deadline = 3 * config.heartbeat;
  options.first_event_deadline = config.first_event_timeout;
  options.lag_timeout = config.lag_timeout;
  return options;
}

std::pair<std::string, std::string> SplitTableName(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {std::string(), std::string(name)};
  return {std::string(name.substr(0, dot)), std::string(name.substr(dot + 1))};
}

Result<EventTables> CompileEventTables(const Config& config) {
  EventTables tables;
  for (const OutboxConfig& outbox : config.outboxes) {
    for (const std::string& name : outbox.tables) {
      auto mapping = OutboxMapping::Compile(outbox);
      if (!mapping) return std::unexpected(mapping.error());
      auto [schema_pattern, table_pattern] = SplitTableName(name);
      binlog::TableSelection selection{.schema_pattern = std::move(schema_pattern),
                                       .table_pattern = std::move(table_pattern),
                                       .columns = mapping->columns(),
                                       .declared_columns = {}};
      for (const DeclaredColumn& column : outbox.columns) {
        selection.declared_columns.push_back(column.name);
        selection.declared_kinds.push_back(column.kind);
      }
      for (const ColumnDefaultConfig& column : outbox.defaults) {
        selection.declared_defaults.emplace_back(column.column, column.value);
      }
      selection.json = outbox.json == OutboxConfig::Json::kDebezium ? binlog::JsonStyle::kDebezium
                                                                    : binlog::JsonStyle::kMysql;
      selection.whole_row =
          mapping->reads_whole_row() ? binlog::WholeRow::kNamed : binlog::WholeRow::kNo;
      selection.takes_updates = config.delivery.on_update == DeliveryConfig::OnUpdate::kPublish ||
                                !outbox.update_where.empty();
      tables.selections.push_back(std::move(selection));
      tables.mappings.push_back(std::move(*mapping));
    }
  }
  if (tables.selections.empty()) {
    return Fail(ExitCode::kConfiguration, "no event table is configured")
        .Hint("[outbox] with 'table = SCHEMA.TABLE'");
  }
  return tables;
}

binlog::Result<std::vector<binlog::MissingPrivilege>> FindMissingPrivileges(
    binlog::MysqlServer& server, const EventTables& tables) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const binlog::TableSelection& selection : tables.selections) {
    names.emplace_back(selection.schema_pattern, selection.table_pattern);
  }
  return server.MissingPrivileges(names);
}

binlog::Result<std::vector<DescribedTable>> DescribeEventTables(binlog::MysqlServer& server,
                                                                const EventTables& tables) {
  std::vector<DescribedTable> described;
  for (std::size_t i = 0; i < tables.selections.size(); ++i) {
    const binlog::TableSelection& selection = tables.selections[i];
    auto found = binlog::DescribeTables(server.connection(), selection.schema_pattern,
                                        selection.table_pattern);
    if (!found) return std::unexpected(found.error());
    for (binlog::TableFacts& facts : *found) described.push_back({i, std::move(facts)});
  }
  return described;
}

binlog::Result<TableReadFacts> FactsForTableRead(binlog::MysqlServer& server,
                                                 const std::vector<DescribedTable>& found) {
  TableReadFacts facts;
  auto logs_cascades = binlog::LogsCascades(server.connection());
  if (!logs_cascades) return std::unexpected(logs_cascades.error());
  facts.logs_cascades = *logs_cascades;
  auto privilege = server.MissingXaPrivilege();
  if (!privilege) return std::unexpected(privilege.error());
  facts.missing_xa_privilege = std::move(*privilege);
  for (const auto& [selection, table] : found) {
    auto cascades = binlog::AskForCascades(server.connection(), table);
    if (!cascades) return std::unexpected(cascades.error());
    std::ranges::move(*cascades, std::back_inserter(facts.cascades));
    auto rows = binlog::EstimateRows(server.connection(), table);
    if (!rows) return std::unexpected(rows.error());
    facts.rows += *rows;
  }
  return facts;
}

std::vector<std::string> TablePatterns(const Config& config) {
  std::vector<std::string> patterns;
  for (const OutboxConfig& outbox : config.outboxes) {
    patterns.insert(patterns.end(), outbox.tables.begin(), outbox.tables.end());
  }
  return patterns;
}

}  // namespace outboxd
