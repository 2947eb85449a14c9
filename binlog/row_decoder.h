#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/character_sets.h"
#include "binlog/column_value.h"
#include "binlog/error.h"
#include "binlog/json_binary.h"
#include "binlog/row.h"
#include "binlog/table_map.h"
#include "binlog/text_arena.h"

namespace outboxd::binlog {

enum class RowsEventVersion { kV1, kV2 };
enum class RowsChange {
  kInsert,  // WRITE_ROWS
  kUpdate,  // UPDATE_ROWS: each row as it was and as it is; decoded is what it is.
};

// The value of a column that a row was inserted without.
struct ColumnDefault {
  std::size_t ordinal;
  ColumnValue value;
};

// Decodes the rows of WRITE_ROWS and UPDATE_ROWS events: the wanted columns only, the others are
// skipped by their length. Used by one thread.
class RowDecoder {
 public:
  // `character_sets` is borrowed and outlives the decoder.
  explicit RowDecoder(const CharacterSets& character_sets);

  // Tells how the following events are laid out and which columns (ordinals of `map`, any order,
  // repeats allowed) are wanted. `map` and what `defaults` point at are borrowed until the next
  // BindTable().
  // kUndecodable: a wanted column of a type or character set that is not decoded yet, or one that
  // the log does not tell enough about; a column whose size is unknown. kCorrupt: metadata that no
  // server writes.
  [[nodiscard]] Result<void> BindTable(const TableMap& map, std::span<const std::size_t> wanted,
                                       std::vector<ColumnDefault> defaults = {},
                                       JsonStyle json = JsonStyle::kMysql);

  // Starts on one event. `body`: after the event header, without checksum; borrowed until the last
  // row was read. kUndecodable: a column that is wanted is missing from the row image and has no
  // default. kCorrupt: the event is cut off or does not fit the table map.
  // Format: MySQL 9.7 libs/mysql/binlog/event/rows_event.h, Rows_event.
  [[nodiscard]] Result<void> BeginEvent(RowsEventVersion version, Bytes body,
                                        RowsChange change = RowsChange::kInsert);

  // Moves to the next row; false at the event's end. Values are valid until the next call.
  // kCorrupt: the row is cut off. kUndecodable: bytes that are no value of their column.
  [[nodiscard]] Result<bool> NextRow();

  // In the order of `wanted`.
  [[nodiscard]] std::span<const ColumnValue> values() const { return values_; }

 private:
  static constexpr std::size_t kUnwanted = static_cast<std::size_t>(-1);

  struct WantedColumn {
    std::size_t ordinal;
    std::size_t slot;  // In values_.
    ValueDecoder decoder;
  };
  // A column that the rows of the current event hold.
  struct PresentColumn {
    ValueSize size;
    std::size_t wanted;  // Index in wanted_ or kUnwanted.
  };
  // A column that is asked for again: its value is that of an earlier slot.
  struct Repeat {
    std::size_t slot, same_as;
  };

  Result<void> BindWanted(std::size_t ordinal, std::size_t slot, JsonStyle json);
  Result<void> CheckPresence(RowsChange change, Bytes present);
  void SelectPresent(Bytes present);
  // Moves behind the row as it was before an update.
  void SkipBefore();
  std::unexpected<Error> InColumn(const Error& cause, std::size_t ordinal) const;

  TextConverters converters_;

  // Of the bound table.
  const TableMap* map_ = nullptr;
  std::vector<ValueSize> sizes_;           // Of all its columns.
  std::vector<std::size_t> wanted_index_;  // By ordinal: index in wanted_ or kUnwanted.
  std::vector<WantedColumn> wanted_;
  std::vector<Repeat> repeats_;
  std::vector<ColumnDefault> defaults_;

  // Of the current event.
  std::vector<PresentColumn> present_;
  bool has_before_ = false;
  std::vector<ValueSize> present_before_;  // Of an update: of the row as it was.
  ByteCursor rows_{Bytes{}};

  // Of the current row.
  TextArena arena_;
  std::vector<ColumnValue> values_;
};

}  // namespace outboxd::binlog
