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

// The value of a column that a row was inserted without.
struct ColumnDefault {
  std::size_t ordinal;
  ColumnValue value;
};

// Decodes the rows of WRITE_ROWS, UPDATE_ROWS and DELETE_ROWS events: the wanted columns only, the
// others are skipped by their length. Used by one thread.
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
  // The same where what a row was before its update, or as it was deleted, is wanted as well, and
  // the columns `key` in key form (column_value.h, ValueDecoder::MakeForKey()). No column that an
  // image lacks is an error then: see is_partial().
  [[nodiscard]] Result<void> BindChanges(const TableMap& map, std::span<const std::size_t> wanted,
                                         std::span<const std::size_t> key,
                                         std::vector<ColumnDefault> defaults = {},
                                         JsonStyle json = JsonStyle::kMysql);

  // Starts on one event. `body`: after the event header, without checksum; borrowed until the last
  // row was read. kUndecodable: a column that is wanted is missing from the row image and has no
  // default. kCorrupt: the event is cut off or does not fit the table map.
  // Format: MySQL 9.7 libs/mysql/binlog/event/rows_event.h, Rows_event.
  [[nodiscard]] Result<void> BeginEvent(RowsEventVersion version, Bytes body,
                                        RowChange change = RowChange::kInsert);

  // Moves to the next row; false at the event's end. Values are valid until the next call.
  // kCorrupt: the row is cut off. kUndecodable: bytes that are no value of their column.
  [[nodiscard]] Result<bool> NextRow();

  // In the order of `wanted`: the row as it is behind the change, or as it was deleted.
  [[nodiscard]] std::span<const ColumnValue> values() const {
    return {values_.data(), wanted_count_};
  }

  // After BindChanges() and for updates only: the row as it was before.
  [[nodiscard]] std::span<const ColumnValue> before() const {
    return {before_.data(), wanted_count_};
  }
  // In the order of `key`.
  [[nodiscard]] std::span<const ColumnValue> key() const {
    return std::span(values_).subspan(wanted_count_);
  }
  [[nodiscard]] std::span<const ColumnValue> key_before() const {
    return std::span(before_).subspan(wanted_count_);
  }
  // The rows of the current event lack some of the columns, which are NULL. One that lacks only
  // behind an update is as it was before, and one that an inserted row lacks has its default.
  [[nodiscard]] bool is_partial() const { return is_partial_; }

 private:
  static constexpr std::size_t kUnwanted = static_cast<std::size_t>(-1);

  struct WantedColumn {
    std::size_t ordinal;
    std::size_t slot;  // In values_ and before_.
    ValueDecoder decoder;
    bool is_in_key_form = false;
    std::size_t other_form = kUnwanted;  // Index in wanted_ of the same column in key form.
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

  Result<void> BindColumns(const TableMap& map, std::span<const std::size_t> wanted,
                           std::span<const std::size_t> key, std::vector<ColumnDefault> defaults,
                           JsonStyle json);
  Result<void> BindColumn(std::size_t ordinal, std::size_t slot, bool is_key, JsonStyle json);
  Result<void> CheckPresence(RowChange change, Bytes present);
  void TakeAbsent(RowChange change, Bytes before, Bytes present);
  void TakeAbsentAfter(const WantedColumn& column, RowChange change, Bytes before);
  void SelectPresent(Bytes present, std::vector<PresentColumn>& columns) const;
  // Moves behind the row as it was before an update.
  void SkipBefore();
  template <bool kHasKey>
  Result<void> ReadImage(std::span<const PresentColumn> present, std::vector<ColumnValue>& values);
  Result<bool> NextChange();
  std::unexpected<Error> InColumn(const Error& cause, std::size_t ordinal) const;

  TextConverters converters_;

  // Of the bound table.
  const TableMap* map_ = nullptr;
  std::vector<ValueSize> sizes_;           // Of all its columns.
  std::vector<std::size_t> wanted_index_;  // By ordinal: index in wanted_ or kUnwanted.
  std::vector<WantedColumn> wanted_;
  std::vector<Repeat> repeats_;
  std::vector<ColumnDefault> defaults_;
  std::size_t wanted_count_ = 0;  // Slots in front of those of the key.
  bool takes_changes_ = false;    // Bound by BindChanges().

  // Of the current event.
  std::vector<PresentColumn> present_;
  bool has_before_ = false;
  std::vector<PresentColumn> present_before_;  // Of an update: of the row as it was.
  std::vector<std::size_t> unchanged_;         // Slots whose value is that from before.
  bool is_partial_ = false;
  ByteCursor rows_{Bytes{}};

  // Of the current row.
  TextArena arena_;
  std::vector<ColumnValue> values_;
  std::vector<ColumnValue> before_;
};

}  // namespace outboxd::binlog
