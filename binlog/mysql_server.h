#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/column_shape.h"
#include "binlog/log_end.h"
#include "binlog/mysql_connection.h"
#include "binlog/position.h"
#include "binlog/row.h"
#include "binlog/table_facts.h"

namespace outboxd::binlog {

// The server's settings that decide whether and how its log can be read, as the server words them.
struct ServerFacts {
  std::string version;  // "9.7.4", "8.4.5-log", "10.11.6-MariaDB-..."
  std::string server_uuid;
  std::string gtid_mode;  // OFF, OFF_PERMISSIVE, ON_PERMISSIVE, ON
  bool log_bin = false;
  std::string binlog_format;        // ROW, MIXED, STATEMENT
  std::string binlog_row_image;     // FULL, MINIMAL, NOBLOB
  std::string binlog_row_metadata;  // FULL, MINIMAL; empty: the server has no such variable
  std::string binlog_checksum;      // CRC32, NONE
  std::string sync_binlog, innodb_flush_log_at_trx_commit;
  std::uint64_t binlog_expire_seconds = 0;
  std::string lower_case_table_names;  // 0: names of schemas differ by case.
  // Schemas outside which nothing is logged; none: all are. Then those left out otherwise. Empty
  // for an account without REPLICATION CLIENT.
  std::vector<std::string> binlog_do_db, binlog_ignore_db;
  bool is_replica = false;  // It has a source, running or not. False for such an account.
  bool log_replica_updates = false;
};

// Whether the account may do what outboxd needs; the text is the GRANT that is missing.
struct MissingPrivilege {
  std::string privilege;  // "REPLICATION SLAVE", "REPLICATION CLIENT", "SELECT"
  std::string grant;      // The exact statement that mends it.
};

// A foreign key of a table by which a change of the table it refers to deletes or changes rows.
struct Cascade {
  std::string schema_name, table_name;  // Whose rows.
  std::string name;
  std::string rules;   // "ON DELETE CASCADE, ON UPDATE SET NULL"
  std::string parent;  // "shop.orders"
};

// Answers questions about a server over one connection. One thread.
class MysqlServer {
 public:
  explicit MysqlServer(MysqlConnection connection) : connection_(std::move(connection)) {}
  [[nodiscard]] static Result<MysqlServer> Connect(const ConnectionOptions& options);

  [[nodiscard]] Result<ServerFacts> Facts();
  [[nodiscard]] Result<std::vector<MissingPrivilege>> MissingPrivileges(
      const std::vector<std::pair<std::string, std::string>>& tables);

  // None: there is no such table (or the account cannot see it). `pattern` in the table filter's
  // syntax ('*' and '?'); returns all that match.
  [[nodiscard]] Result<std::vector<TableFacts>> DescribeTables(std::string_view schema_pattern,
                                                               std::string_view table_pattern);

  // The columns of one table, as a SchemaLookup; empty: there is no such table.
  [[nodiscard]] Result<std::vector<ColumnFacts>> DescribeColumns(std::string_view schema_name,
                                                                 std::string_view table_name);

  // The end of the log as of now: every transaction that SELECT can see is before it.
  [[nodiscard]] Result<Position> CurrentPosition();
  // The same as a place in a file, whatever gtid_mode is.
  [[nodiscard]] Result<LogEnd> EndOfLog();
  // All files of the log, in their order.
  [[nodiscard]] Result<std::vector<LogFile>> LogFiles();
  // The oldest boundary the log still holds.
  [[nodiscard]] Result<Position> EarliestPosition();
  // XA_RECOVER_ADMIN, where the account may not ask for prepared XA transactions; none: it may.
  [[nodiscard]] Result<std::optional<MissingPrivilege>> MissingXaPrivilege();
  // On a member of a group (Group Replication): what the account lacks to see what the member has
  // received. None: nothing, or it is no member.
  [[nodiscard]] Result<std::optional<MissingPrivilege>> MissingGroupPrivilege();
  [[nodiscard]] Result<std::vector<Cascade>> Cascades(const TableFacts& table);
  // Whether rows that a cascade deletes or changes are in the log. InnoDB does it by itself and
  // logs nothing, but for MySQL 9.6 and later with innodb_native_foreign_keys = OFF, the default
  // there.
  [[nodiscard]] Result<bool> LogsCascades();
  // The server's own estimate; 0 where it has none.
  [[nodiscard]] Result<std::uint64_t> EstimatedRows(const TableFacts& table);
  // How many rows, at most `rows_max`, have a time in `column` that is more than `age` ago:
  // DATETIME and TIMESTAMP in UTC, and whole numbers of milliseconds since 1970. None: the column
  // is of another type, or the server had not counted them after a few seconds.
  [[nodiscard]] Result<std::optional<std::uint64_t>> CountOlder(const TableFacts& table,
                                                                std::string_view column,
                                                                std::chrono::milliseconds age,
                                                                std::uint64_t rows_max);
  // Collation id and character set name of every collation of the server.
  [[nodiscard]] Result<std::vector<std::pair<std::uint32_t, std::string>>> Collations();

  [[nodiscard]] MysqlConnection& connection() { return connection_; }

 private:
  MysqlConnection connection_;
};

}  // namespace outboxd::binlog
