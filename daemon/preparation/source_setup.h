#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/column_shape.h"
#include "binlog/interrupter.h"
#include "binlog/mysql_connection.h"
#include "binlog/mysql_event_source.h"
#include "binlog/mysql_file_begin.h"
#include "binlog/mysql_server.h"
#include "binlog/mysql_tables.h"
#include "binlog/table_filter.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/mapping/outbox_mapping.h"

namespace outboxd {

// What the configuration means for the MySQL side.

// One for each host, in the order in which they are tried.
[[nodiscard]] std::vector<binlog::ConnectionOptions> ConnectionOptionsOf(const MysqlConfig& config);

// Who logs in.
[[nodiscard]] binlog::LogIn LogInOf(const MysqlConfig& config);

// A server, and what it says of itself.
struct AskedServer {
  binlog::MysqlServer server;
  binlog::ServerFacts facts;
  binlog::ConnectionOptions options = {};  // By which it was reached.
};

// The first host that answers; else the most hopeful of their errors (binlog/failover.h).
// `interrupter`: breaks off the connect; null: nothing does.
[[nodiscard]] binlog::Result<AskedServer> AskServer(const MysqlConfig& config,
                                                    binlog::Interrupter* interrupter = nullptr);

// Asks the first host that answers for the columns of a table, over a connection of its own each
// time. `interrupter`: breaks off what is waited for; null: nothing does.
[[nodiscard]] binlog::SchemaLookup LookUpSchema(const MysqlConfig& config,
                                                binlog::Interrupter* interrupter = nullptr);

// Who a relay is among the server's replicas: the same for one name all its life, so that a relay
// that takes over ends the dump of the one before.
using binlog::ReplicaIdentity;
[[nodiscard]] ReplicaIdentity RelayIdentity(const Config& config);
// For a command that only looks: disturbs no relay.
[[nodiscard]] ReplicaIdentity RandomIdentity();

// How the binary log is read as `identity`.
[[nodiscard]] binlog::MysqlEventSourceOptions SourceOptionsOf(const MysqlConfig& config,
                                                              const ReplicaIdentity& identity);

// "schema.table" in its two parts.
[[nodiscard]] std::pair<std::string, std::string> SplitTableName(std::string_view name);

// The event tables and, for each selection of the filter, the mapping of its rows. kConfiguration.
struct EventTables {
  std::vector<binlog::TableSelection> selections;
  std::vector<OutboxMapping> mappings;  // As many.
};
[[nodiscard]] Result<EventTables> CompileEventTables(const Config& config);

// What the account lacks of what the relay needs.
[[nodiscard]] binlog::Result<std::vector<binlog::MissingPrivilege>> FindMissingPrivileges(
    binlog::MysqlServer& server, const EventTables& tables);

// A table that is there, and the selection it belongs to.
struct DescribedTable {
  std::size_t selection;
  binlog::TableFacts facts;
};
[[nodiscard]] binlog::Result<std::vector<DescribedTable>> DescribeEventTables(
    binlog::MysqlServer& server, const EventTables& tables);

// What matters for a read of the event tables alone.
struct TableReadFacts {
  std::vector<binlog::Cascade> cascades;
  bool logs_cascades = false;
  std::optional<binlog::MissingPrivilege> missing_xa_privilege;
  std::uint64_t rows = 0;  // Of all event tables, as the server estimates them.
};
[[nodiscard]] binlog::Result<TableReadFacts> FactsForTableRead(
    binlog::MysqlServer& server, const std::vector<DescribedTable>& found);

// All event table patterns, as configured.
[[nodiscard]] std::vector<std::string> TablePatterns(const Config& config);

}  // namespace outboxd
