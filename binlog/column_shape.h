#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/error.h"
#include "binlog/row.h"
#include "binlog/table_map.h"

namespace outboxd::binlog {

// Columns of a log that does not name them (binlog_row_metadata = MINIMAL, or a server without that
// setting), told by what information_schema says of the table today. The table may have been
// altered since the row was written: a name is taken only where no mix-up is possible.

// A column as information_schema.columns has it.
struct ColumnFacts {
  std::string name;
  std::string type;  // "varchar(255)", "json", "int unsigned", ...
  bool nullable = false;
  std::string character_set = {};  // Empty where there is none.
  std::uint32_t collation = 0;     // Id; 0 where there is none.
  std::uint32_t octet_length = 0;  // Of CHAR, BINARY and their like: the most they hold.
  bool is_auto_increment = false;
};

// The column of this name, in any case of letters; null: there is none.
[[nodiscard]] const ColumnFacts* FindColumn(std::span<const ColumnFacts> columns,
                                            std::string_view name);

// As KindOf(const Column&) tells it of the log.
[[nodiscard]] ValueKind KindOf(const ColumnFacts& column);

[[nodiscard]] std::vector<std::string> NamesOf(std::span<const ColumnFacts> columns);

// Asks for the columns of a table, in ordinal order; empty: there is no such table.
using SchemaLookup = std::function<Result<std::vector<ColumnFacts>>(std::string_view schema_name,
                                                                    std::string_view table_name)>;

// A column of `wanted` and another one that a log without names cannot tell from it: of the same
// type, metadata, sign and collation (`has_signs`: the log tells these two). None: each wanted
// column is the only one of its kind.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> FindTwins(
    std::span<const ColumnFacts> today, std::span<const std::string> wanted, bool has_signs);

// Gives the columns of `map` the names of `today`, with signs and collations where the log has
// none. kUnsuitable: the table has no such column, number or kind of columns differ, or a column of
// `wanted` has a twin; the text says which. `map` is then unchanged.
[[nodiscard]] Result<void> NameColumns(std::span<const ColumnFacts> today,
                                       std::span<const std::string> wanted, TableMap& map);

// Whether `kind` is a word for what a log of before MySQL 8.0 does not tell of a column: "signed"
// or "unsigned" of an integer, the character set of a text.
[[nodiscard]] bool IsColumnKind(std::string_view kind);

// Gives the columns of a map with names but without signs and collations (MySQL 5.7) those that
// `kinds` declares, one for each column or none at all. The names of `wanted` whose sign or
// collation is still not known and has to be. kUnsuitable: a kind does not fit its column.
[[nodiscard]] Result<std::vector<std::string>> TakeKinds(std::span<const std::string> kinds,
                                                         std::span<const std::string> wanted,
                                                         TableMap& map);

// Gives these columns of such a map the signs and collations that they have `today`. kUnsuitable:
// one is of another type or length today, so that these may have been others as well.
[[nodiscard]] Result<void> TakeSigns(std::span<const ColumnFacts> today,
                                     std::span<const std::string> columns, TableMap& map);

}  // namespace outboxd::binlog
