#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "binlog/transaction_reader.h"

namespace outboxd {

// The text of the header outboxd.position, stable per event and source: "UUID[:TAG]:GNO:ROW",
// without GTIDs "FILE:OFFSET:ROW", in a table read "table:SCHEMA.TABLE:KEY". ROW counts from 1 over
// the transaction's rows in event tables. Reader thread only.
class EventPosition {
 public:
  // The rows of `transaction` follow.
  void Begin(const binlog::Transaction& transaction);

  // Of the next row in the transaction; valid until the next call.
  [[nodiscard]] std::string_view NextRow();

  // How many rows of the transaction there were so far.
  [[nodiscard]] std::uint64_t rows() const { return row_; }

  // Of the row with this primary key in a table read; valid until the next call.
  [[nodiscard]] std::string_view TableRow(std::string_view schema, std::string_view table,
                                          std::string_view key);

 private:
  std::string text_;
  std::size_t prefix_bytes_ = 0;
  std::uint64_t row_ = 0;
};

}  // namespace outboxd
