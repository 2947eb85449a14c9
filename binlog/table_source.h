#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"
#include "binlog/event_source.h"
#include "binlog/json_binary.h"
#include "binlog/log_end.h"
#include "binlog/table_facts.h"

namespace outboxd::binlog {

// One column of the key by which a table is read.
struct KeyColumn {
  std::string name;
  std::string type;       // As information_schema words it: "varchar(36)".
  std::string collation;  // By name; empty: not text.
  bool is_descending = false;

  friend bool operator==(const KeyColumn&, const KeyColumn&) = default;
};

// The index by which a table is read in order: its primary key, else a unique one without NULL.
struct TableKey {
  std::string index;               // "PRIMARY"
  std::vector<KeyColumn> columns;  // None: the table has no key that it can be read by.

  friend bool operator==(const TableKey&, const TableKey&) = default;
};

// A row's values of the key columns, in the form in which they can be compared again: as SELECT
// shows them, but FLOAT with all its digits, ENUM and SET as their numbers, bytes as they are.
using KeyValues = std::vector<std::string>;

// Where a key stands in the server's order. Places compare as bytes exactly as the server orders
// the keys, and are equal exactly where the server takes two keys for the same.
using KeyPlace = std::string;

struct TableToRead {
  TableFacts facts;
  TableKey key;
};

struct ChunkRow {
  std::vector<std::optional<std::string>> values;  // As row.h says; none: NULL.
  KeyValues key;
  KeyPlace place;  // Of a table without a key: empty.
};

struct Chunk {
  std::vector<ChunkRow> rows;  // In the order of the key.
  std::size_t bytes = 0;       // Of all values.
  bool is_last = false;        // There were no rows behind these when it was read.
};

struct ChunkRequest {
  const TableToRead& table;
  const std::vector<std::string>& columns;  // In which order the values stand.
  JsonStyle json = JsonStyle::kMysql;
  const KeyValues* after = nullptr;  // The rows behind this key; null: from the first on.
  const KeyValues* up_to = nullptr;  // And none behind this one; null: to the last.
  std::size_t rows_max = 0;
  // A chunk that would be larger is broken off, unless it is a single row.
  std::size_t bytes_max = 0;
  // Waits for transactions that stand in the log but are not committed yet: a locking read.
  bool waits_for_commits = false;
};

// Reads the event tables of the server whose log an event source has opened, in short statements
// over one connection, for the initial read.
//
// Reader thread only; Interrupt() alone may be called from another thread. After kDisconnected it
// is closed; Open() again.
class TableSource {
 public:
  virtual ~TableSource() = default;

  // Connects to the host that `stream` came from. kDisconnected: it cannot be reached, or another
  // server answers there now.
  [[nodiscard]] virtual Result<void> Open(const StreamIdentity& stream) = 0;
  virtual void Close() = 0;
  // Makes the current and the next call return kInterrupted. Any thread.
  virtual void Interrupt() = 0;

  // The tables that match, patterns in the table filter's syntax, with the key of each.
  [[nodiscard]] virtual Result<std::vector<TableToRead>> Describe(
      std::string_view schema_pattern, std::string_view table_pattern) = 0;

  // Names of the XA transactions that are prepared and not decided, as Transaction::xid words them.
  // None: the account may not ask.
  [[nodiscard]] virtual Result<std::optional<std::set<std::string>>> PreparedXa() = 0;

  [[nodiscard]] virtual Result<LogEnd> EndOfLog() = 0;

  // The key of the last row in the key's order; none: the table is empty.
  [[nodiscard]] virtual Result<std::optional<KeyValues>> HighestKey(const TableToRead& table,
                                                                    bool waits_for_commits) = 0;

  // As many as `keys`. Asks the server only where its order cannot be known otherwise.
  [[nodiscard]] virtual Result<std::vector<KeyPlace>> PlacesOf(
      const TableKey& key, const std::vector<KeyValues>& keys) = 0;

  // A chunk of committed rows (READ COMMITTED), in memory as a whole when it returns. None: it
  // would have been larger than `bytes_max`; ask for fewer rows. kUnsuitable: the table is not as
  // `request.table` says (any more), or is not there.
  [[nodiscard]] virtual Result<std::optional<Chunk>> Read(const ChunkRequest& request) = 0;
};

}  // namespace outboxd::binlog
