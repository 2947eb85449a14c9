#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/row.h"
#include "binlog/table_source.h"
#include "daemon/relay/event_position.h"
#include "daemon/relay/read_changes.h"
#include "daemon/relay/read_ledger.h"
#include "daemon/relay/read_table.h"

namespace outboxd {

// The chunk in hand of an initial read, and the rows that it has to give: its own, but for those at
// places that the ledger leaves out, and the images that the ledger keeps for the places that it
// covers. In the order of places. Reader thread only.
//
// A chunk is taken first, and its rows are begun once the ledger knows all that the log shows up to
// an end behind the chunk: from then on nothing is added to the ledger before End().
class ChunkRows {
 public:
  // Both are borrowed. The tables keep their numbers and places in memory while a chunk is in hand.
  ChunkRows(const std::vector<ReadTable>& tables, ReadLedger& ledger)
      : tables_(tables), ledger_(ledger) {}

  // Takes the next chunk of tables[table], behind what is handed over of it; one that is in hand is
  // dropped. A table without a key has only one.
  void Take(std::size_t table, binlog::Chunk chunk);

  // Goes to the first row. kSpill: the ledger has failed.
  [[nodiscard]] binlog::Result<void> Begin();
  // The next row, valid until the next call; null: there is none. kSpill: the ledger has failed.
  [[nodiscard]] binlog::Result<const binlog::Row*> Next();
  // Of the row that was read last, as in its event's header; valid until the next call of Next().
  [[nodiscard]] std::string_view position() const { return position_; }

  // Of the chunk in hand: its table, whether none comes behind it, where it ends (the last one: not
  // at a place), and how many of its rows were given since Begin().
  [[nodiscard]] std::size_t table() const { return table_; }
  [[nodiscard]] bool is_last() const { return chunk_->is_last; }
  [[nodiscard]] std::optional<ReadCursor> end() const;
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

  // Lets go the chunk, wherever it stands.
  void End();

 private:
  binlog::Result<void> LookAtNextImage();
  binlog::Result<const binlog::Row*> TakeImage();
  const binlog::Row* MakeRow(std::span<const std::string> key, const binlog::KeyPlace& place);

  const std::vector<ReadTable>& tables_;
  ReadLedger& ledger_;

  std::optional<binlog::Chunk> chunk_;
  std::size_t table_ = 0;

  std::size_t next_row_ = 0;  // Of the chunk.
  bool has_image_ = false;
  std::string image_place_, image_bytes_;  // The next one.
  std::string given_bytes_;                // Of the one in hand.
  RowImage image_;
  EventPosition event_position_;
  binlog::Row row_{};
  std::vector<binlog::ColumnValue> row_values_;
  std::string_view position_;
  std::uint64_t rows_ = 0;
};

}  // namespace outboxd
