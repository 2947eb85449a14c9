#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "binlog/row.h"
#include "binlog/table_source.h"
#include "binlog/transaction.h"
#include "daemon/error.h"
#include "daemon/relay/read_ledger.h"
#include "daemon/relay/read_table.h"

namespace outboxd {

// A row as it was when the read began, as the ledger keeps it. Bytes in the ledger's order of a
// place: values, then the key's.
class RowImage {
 public:
  [[nodiscard]] static std::string Encode(std::span<const binlog::ColumnValue> values,
                                          std::span<const std::string> key);
  // `bytes` from Encode(), and alive as long as what is read of it.
  void Decode(std::string_view bytes);

  [[nodiscard]] std::span<const binlog::ColumnValue> values() const { return values_; }
  [[nodiscard]] std::span<const std::string> key() const { return key_; }

 private:
  std::vector<binlog::ColumnValue> values_;
  std::vector<std::string> key_;
};

// Enters into the ledger what the log shows of the tables that are read. The places of keys can
// take a question to the server, so that changes are collected and entered many at a time, in the
// order of the log. Reader thread only.
class ReadChanges {
 public:
  ReadChanges(const std::vector<ReadTable>& tables, ReadLedger& ledger)
      : tables_(tables), ledger_(ledger) {}

  // A row of `row.selection`, a number in `tables`. What the log does not hold of it Enter() tells.
  void Add(const binlog::Row& row);

  // So many wait that they should be entered before more come.
  [[nodiscard]] bool is_full() const { return waiting_bytes_ >= kWaitingBytesMax; }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  void Clear();

  // A row that left its place while the log holds too little of it to give it back.
  struct Loss {
    std::size_t table;
    binlog::KeyValues key;
  };

  // Enters all that wait. kSpill: the ledger is to be cleared, and the log read anew. Errors of
  // `source`: nothing has changed; try again.
  [[nodiscard]] binlog::Result<std::vector<Loss>> Enter(binlog::TableSource& source);

 private:
  static constexpr std::size_t kWaitingBytesMax = std::size_t{1} << 20;

  struct Change {
    std::size_t table = 0;
    binlog::RowChange kind{};
    bool is_partial = false;
    // Where the row was, and where it is now; each only where there is one, and only the places of
    // a table without a key.
    binlog::KeyValues key_before, key_after;
    binlog::KeyPlace place_before, place_after;
    std::string image;  // As it was before.
  };

  binlog::Result<void> FindPlaces(binlog::TableSource& source);
  binlog::Result<std::optional<Loss>> Enter(const Change& change);

  const std::vector<ReadTable>& tables_;
  ReadLedger& ledger_;

  std::vector<Change> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace outboxd
