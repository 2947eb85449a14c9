#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/column_shape.h"
#include "binlog/error.h"
#include "binlog/table_facts.h"

namespace outboxd::binlog {

class MysqlConnection;

// What a server says of tables and their columns, over a connection that nobody else uses
// meanwhile. Each statement waits and fails as MysqlConnection::Query(). What the account may not
// see is not there.

// All that fit both patterns ('*' and '?', base/glob.h). None: there is no such table, or the
// account cannot see it. One statement, and two for each table that is found.
[[nodiscard]] Result<std::vector<TableFacts>> DescribeTables(MysqlConnection& connection,
                                                             std::string_view schema_pattern,
                                                             std::string_view table_pattern);

// The columns of one table, as a SchemaLookup; empty: there is no such table. One statement.
[[nodiscard]] Result<std::vector<ColumnFacts>> DescribeColumns(MysqlConnection& connection,
                                                               std::string_view schema_name,
                                                               std::string_view table_name);

// A foreign key of a table by which a change of the table it refers to deletes or changes rows.
struct Cascade {
  std::string schema_name, table_name;  // Whose rows.
  std::string name;
  std::string rules;   // "ON DELETE CASCADE, ON UPDATE SET NULL"
  std::string parent;  // "shop.orders"
};

// Those of one table, by their names. One statement.
[[nodiscard]] Result<std::vector<Cascade>> AskForCascades(MysqlConnection& connection,
                                                          const TableFacts& table);

// Whether rows that a cascade deletes or changes are in the log. InnoDB does it by itself and
// logs nothing, but for MySQL 9.6 and later with innodb_native_foreign_keys = OFF, the default
// there. One statement.
[[nodiscard]] Result<bool> LogsCascades(MysqlConnection& connection);

// The server's own estimate of a table's rows; 0 where it has none. One statement.
[[nodiscard]] Result<std::uint64_t> EstimateRows(MysqlConnection& connection,
                                                 const TableFacts& table);

// How many rows, at most `rows_max`, have a time in `column` that is more than `age` ago: DATETIME
// and TIMESTAMP in UTC, and whole numbers of milliseconds since 1970. None: the column is of
// another type, the server refuses to count them, or had not within five seconds. One statement.
// kDisconnected and kUnknown alone.
[[nodiscard]] Result<std::optional<std::uint64_t>> CountOlder(MysqlConnection& connection,
                                                              const TableFacts& table,
                                                              std::string_view column,
                                                              std::chrono::milliseconds age,
                                                              std::uint64_t rows_max);

}  // namespace outboxd::binlog
