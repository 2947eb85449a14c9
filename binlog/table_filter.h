#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "binlog/json_binary.h"

namespace outboxd::binlog {

// Whether all columns of a row are wanted, in the table's order, behind those that are wanted by
// name (which stand twice then).
enum class WholeRow {
  kNo,
  kNamed,     // The log has to tell the columns' names, or they are declared, or told for certain.
  kNumbered,  // Where the log tells no names, they are "@1", "@2", as mysqlbinlog has it.
};

// One family of event tables and what is wanted of their rows.
struct TableSelection {
  std::string schema_pattern;  // '*' stands for any characters, '?' for one.
  std::string table_pattern;
  std::vector<std::string> columns;           // Wanted, by name.
  std::vector<std::string> declared_columns;  // All columns in order, for a log without names.
  // What a log of before MySQL 8.0 does not tell of the declared columns, one for each or none at
  // all: see IsColumnKind(); empty: as the table has it today.
  std::vector<std::string> declared_kinds = {};
  // Values of columns that a row was written without (binlog_row_image = MINIMAL leaves out what
  // was given no value), declared by name; none: NULL.
  std::vector<std::pair<std::string, std::optional<std::string>>> declared_defaults = {};
  bool takes_updates = false;  // Whether updates count as rows, as they are afterwards.
  JsonStyle json = JsonStyle::kMysql;
  WholeRow whole_row = WholeRow::kNo;
  // Whether every insert, update and delete counts as a row, and the columns by which it is told
  // which row it was: their values are in key form, FLOAT with all its digits and ENUM and SET as
  // numbers.
  bool takes_all_changes = false;
  std::vector<std::string> key_columns = {};
};

// Decides which tables of the binary log are event tables. Constant after construction.
class TableFilter {
 public:
  explicit TableFilter(std::vector<TableSelection> selections);

  // The index of the first selection that matches; none: the table is of no interest.
  [[nodiscard]] std::optional<std::uint32_t> Match(std::string_view schema_name,
                                                   std::string_view table_name) const;

  // Whether a table of this schema can match. The server's own schemas have to be named to the
  // letter: services that host MySQL write there in statement format (mysql.rds_heartbeat2).
  [[nodiscard]] bool MatchesSchema(std::string_view schema_name) const;
  // Whether `statement` may name a matching table of this schema: it holds the longest fixed part
  // of the table's pattern. In doubt true.
  [[nodiscard]] bool MayBeNamed(std::string_view schema_name, std::string_view statement) const;
  // The same where the schema is not known.
  [[nodiscard]] bool MayBeNamed(std::string_view statement) const;

  // Whether a DDL statement can be one on tables, and not on accounts and the like.
  [[nodiscard]] static bool IsAboutTables(std::string_view statement);

  [[nodiscard]] const TableSelection& operator[](std::uint32_t index) const {
    return selections_[index];
  }
  [[nodiscard]] const std::vector<TableSelection>& selections() const { return selections_; }

 private:
  // The first selection without patterns that names the table.
  [[nodiscard]] std::optional<std::uint32_t> FindExact(std::string_view schema_name,
                                                       std::string_view table_name) const;

  std::vector<TableSelection> selections_;
  // Indices of those without patterns, by the hash of schema and table, which others may share; and
  // of those with patterns, rising.
  std::unordered_multimap<std::size_t, std::uint32_t> exact_;
  std::vector<std::uint32_t> patterns_;
};

}  // namespace outboxd::binlog
