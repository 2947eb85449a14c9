#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "binlog/error.h"
#include "binlog/log_readers.h"
#include "binlog/mysql_connection.h"

namespace outboxd::binlog {

// The server's settings that decide whether and how its log can be read, as the server words them.
struct ServerFacts {
  std::uint32_t server_id = 0;
  std::string version;  // "9.7.4", "8.4.5-log", "10.11.6-MariaDB-..."
  std::string server_uuid;
  std::string gtid_mode;  // OFF, OFF_PERMISSIVE, ON_PERMISSIVE, ON
  bool log_bin = false;
  std::string binlog_format;        // ROW, MIXED, STATEMENT
  std::string binlog_row_image;     // FULL, MINIMAL, NOBLOB
  std::string binlog_row_metadata;  // FULL, MINIMAL; empty: the server has no such variable
  std::string binlog_checksum;      // CRC32, NONE
  std::string sync_binlog, innodb_flush_log_at_trx_commit;
  std::chrono::seconds log_expiry{0};    // As AskForExpiry() has it; 0 where there is no log.
  std::uint64_t max_allowed_packet = 0;  // Bytes, of sessions that begin now; 0: not told.
  std::string lower_case_table_names;    // 0: names of schemas differ by case.
  // Schemas outside which nothing is logged; none: all are. Then those left out otherwise. Empty
  // for an account without REPLICATION CLIENT.
  std::vector<std::string> binlog_do_db, binlog_ignore_db;
  bool is_replica = false;  // It has a source, running or not. False for such an account.
  bool log_replica_updates = false;
};

// A privilege that outboxd needs and the account lacks.
struct MissingPrivilege {
  std::string privilege;  // "REPLICATION SLAVE", "REPLICATION CLIENT", "SELECT"
  std::string grant;      // The exact statement that mends it.
};

// Answers questions about a server over one connection: what decides whether outboxd can work with
// it. One thread. Each statement waits and fails as MysqlConnection::Query().
class MysqlServer {
 public:
  explicit MysqlServer(MysqlConnection connection) : connection_(std::move(connection)) {}

  // Waits and fails as MysqlConnection::Connect(); the message names the address.
  [[nodiscard]] static Result<MysqlServer> Connect(const ConnectionOptions& options);

  // At most six statements.
  [[nodiscard]] Result<ServerFacts> Facts();

  // Of the account, to read the log and these tables, by schema and table; patterns among them, and
  // tables that are not there, are passed over. Two statements, and one for each table.
  [[nodiscard]] Result<std::vector<MissingPrivilege>> MissingPrivileges(
      const std::vector<std::pair<std::string, std::string>>& tables);

  // Who else reads the log.
  [[nodiscard]] Result<LogReaders> AskForReaders() { return AskForLogReaders(connection_); }

  // XA_RECOVER_ADMIN, where the account may not ask for prepared XA transactions; none: it may. At
  // most two statements.
  [[nodiscard]] Result<std::optional<MissingPrivilege>> MissingXaPrivilege();

  // On a member of a group (Group Replication): what the account lacks to see what the member has
  // received. None: nothing, or it is no member. At most five statements.
  [[nodiscard]] Result<std::optional<MissingPrivilege>> MissingGroupPrivilege();

  // Collation id and character set name of every collation of the server. One statement.
  [[nodiscard]] Result<std::vector<std::pair<std::uint32_t, std::string>>> Collations();

  // For what else is to be asked: mysql_log.h, mysql_tables.h.
  [[nodiscard]] MysqlConnection& connection() { return connection_; }

 private:
  MysqlConnection connection_;
};

}  // namespace outboxd::binlog
