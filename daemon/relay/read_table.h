#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "binlog/row.h"
#include "binlog/table_filter.h"
#include "binlog/table_source.h"
#include "daemon/checkpoint/checkpoint.h"

namespace outboxd {

// A row's key, as it is asked for again and as it is compared.
struct ReadCursor {
  binlog::KeyValues key;
  binlog::KeyPlace place;
};

// One table of an initial read, and how far it is.
struct ReadTable {
  binlog::TableToRead description;
  std::uint32_t selection = 0;  // What selected it, in the relay's table filter.
  binlog::JsonStyle json = binlog::JsonStyle::kMysql;
  std::vector<std::string> columns;      // What its rows are read of, as the mapping wants them.
  std::vector<binlog::ValueKind> kinds;  // As many.

  // The highest key when the read began: chunks end there.
  std::optional<binlog::KeyValues> bound = {};
  bool has_bound = false;  // Whether it was asked for; `bound` of an empty table is none.

  // How far chunks are handed over, and how far they are acknowledged; none: not at all.
  std::optional<ReadCursor> handed = {}, acknowledged = {};
  bool is_handed = false, is_acknowledged = false;  // To the end.
  std::uint64_t rows_handed = 0, rows_acknowledged = 0;
  bool is_gone = false;  // Dropped or renamed since: only what the log holds of it is given back.

  [[nodiscard]] const std::string& schema_name() const { return description.facts.schema_name; }
  [[nodiscard]] const std::string& table_name() const { return description.facts.table_name; }
  [[nodiscard]] bool has_key() const { return !description.key.columns.empty(); }
};

[[nodiscard]] ReadTable MakeReadTable(binlog::TableToRead description, std::uint32_t index,
                                      const binlog::TableSelection& selection);

// How the read's own dump looks at the table: every change, and its key.
[[nodiscard]] binlog::TableSelection SelectionOfChanges(const ReadTable& table,
                                                        const binlog::TableSelection& selection);

// Whether the key and the columns wanted are the same; only then a read goes on.
[[nodiscard]] bool IsReadAlike(const ReadTable& before, const ReadTable& now);

// The state for the checkpoint once everything up to `cursor` (none: a table read in one piece) is
// acknowledged.
[[nodiscard]] TableReadState StateOf(const ReadTable& table, const ReadCursor* cursor,
                                     bool is_done);
// Whether something of the table is acknowledged.
[[nodiscard]] bool HasBegun(const TableReadState& state);
// The stored key; none: nothing is stored, or the table has another key since.
[[nodiscard]] std::optional<binlog::KeyValues> StoredKey(const ReadTable& table,
                                                         const TableReadState& state);

// The place of a row of a table without a key: rows are the same where all their values are, JSON
// apart, whose text the log may have in another style.
[[nodiscard]] binlog::KeyPlace PlaceOfValues(std::span<const binlog::ColumnValue> values,
                                             std::span<const binlog::ValueKind> kinds);

// The key's text in an event's position: bytes in hexadecimal digits; of several columns a ',' and
// a '\' in their values stand behind a '\'.
[[nodiscard]] std::string PositionKey(const binlog::TableKey& key,
                                      std::span<const std::string> values);
// The same of a row without a key: made of all its values.
[[nodiscard]] std::string PositionKey(const binlog::KeyPlace& place);

}  // namespace outboxd
