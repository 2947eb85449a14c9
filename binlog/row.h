#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace outboxd::binlog {

// One column of a row as MySQL's own text for it (what SELECT returns with time_zone '+00:00' and
// character set utf8mb4); binary strings, BLOB, BIT, GEOMETRY and VECTOR as the bytes that SELECT
// returns. JSON is compact text: stored member order, no blanks after ',' and ':'. The log does not
// tell of ZEROFILL nor of the digits of FLOAT(M,D): numbers are without what these would add. None:
// SQL NULL.
using ColumnValue = std::optional<std::string_view>;

// What a column's value is, where its text alone does not tell.
enum class ValueKind : std::uint8_t {
  kText,    // Times, ENUM and SET among them.
  kBytes,   // BINARY, BLOB, BIT, GEOMETRY, VECTOR.
  kNumber,  // In a form that JSON takes, too.
  kJson,
};

enum class RowChange : std::uint8_t { kInsert, kUpdate, kDelete };

// One row of a matching table as it was inserted or, where updates are taken, as an update left it;
// where all changes are taken, also one that was deleted, as it was. All views stay valid until the
// next row is read.
struct Row {
  std::uint32_t selection;  // Which one of the reader's table filter it belongs to.
  std::string_view schema_name;
  std::string_view table_name;
  // In the order in which the columns were asked for, then the whole row where that is wanted.
  std::span<const ColumnValue> values;
  std::span<const std::string> columns = {};  // Their names, where they are known.
  std::span<const ValueKind> kinds = {};      // Of `values`.
  RowChange change = RowChange::kInsert;
  // Where all changes are taken (TableSelection::takes_all_changes); else empty.
  std::span<const ColumnValue> key = {};         // The key columns of `values`, in key form.
  std::span<const ColumnValue> before = {};      // kUpdate: `values` as they were before.
  std::span<const ColumnValue> key_before = {};  // Its key columns.
  // The log lacks some of the columns wanted (binlog_row_image other than FULL): these are NULL
  // here. A column that is missing only after an update has its value of before.
  bool is_partial = false;
};

}  // namespace outboxd::binlog
