#include "binlog/log_readers.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "binlog/mysql_connection.h"
#include "binlog/result_row.h"

namespace outboxd::binlog {
namespace {

constexpr std::string_view kRelay = "outboxd_relay";
constexpr std::string_view kServerId = "outboxd_server_id";
constexpr std::string_view kTables = "outboxd_tables";

// With the client library's own attributes they stay below 512 bytes.
constexpr std::size_t kRelayBytesMax = 64;
constexpr std::size_t kTablesBytesMax = 200;

// Whole patterns only.
std::string_view Cut(std::string_view tables) {
  if (tables.size() <= kTablesBytesMax) return tables;
  const std::size_t comma = tables.rfind(',', kTablesBytesMax);
  return tables.substr(0, comma == std::string_view::npos ? 0 : comma);
}

// Nothing where the server does not show it.
Result<std::vector<ResultRow>> Shown(Result<std::vector<ResultRow>> rows) {
  if (rows || MayPass(rows.error().kind)) return rows;
  return std::vector<ResultRow>();
}

Result<std::vector<ResultRow>> AskForAttributes(MysqlConnection& connection) {
  // The second needs no privilege, and shows the connections of the account alone.
  for (const char* view : {"session_connect_attrs", "session_account_connect_attrs"}) {
    auto rows = connection.Query(
        fmt::format("SELECT PROCESSLIST_ID, ATTR_NAME, ATTR_VALUE FROM performance_schema.{}"
                    " WHERE ATTR_NAME IN ('{}', '{}', '{}')",
                    view, kRelay, kServerId, kTables),
        3);
    if (rows || MayPass(rows.error().kind)) return rows;
  }
  return std::vector<ResultRow>();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ConnectionAttributesOf(
    const RelayAttributes& relay) {
  return {{std::string(kRelay), relay.relay.substr(0, kRelayBytesMax)},
          {std::string(kServerId), std::to_string(relay.server_id)},
          {std::string(kTables), std::string(Cut(relay.tables))}};
}

Result<LogReaders> AskForLogReaders(MysqlConnection& connection) {
  LogReaders readers;
  const auto attributes = AskForAttributes(connection);
  if (!attributes) return std::unexpected(attributes.error());
  std::map<std::string, RelayAttributes> relays;  // By connection.
  for (const ResultRow& row : *attributes) {
    RelayAttributes& relay = relays[TextOf(row[0])];
    const std::string name = TextOf(row[1]);
    if (name == kRelay) relay.relay = TextOf(row[2]);
    if (name == kServerId) relay.server_id = static_cast<std::uint32_t>(NumberOf(TextOf(row[2])));
    if (name == kTables) relay.tables = TextOf(row[2]);
  }
  for (auto& [connection_id, relay] : relays) readers.relays.push_back(std::move(relay));

  const auto replicas = Shown(connection.QueryRenamed("SHOW REPLICAS", "SHOW SLAVE HOSTS"));
  if (!replicas) return std::unexpected(replicas.error());
  for (const ResultRow& row : *replicas) {
    if (row.size() < 2) continue;
    readers.replicas.push_back(
        {static_cast<std::uint32_t>(NumberOf(TextOf(row[0]))), TextOf(row[1])});
  }
  return readers;
}

}  // namespace outboxd::binlog
