#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/character_sets.h"
#include "binlog/error.h"
#include "binlog/row.h"
#include "binlog/table_map.h"

namespace outboxd::binlog {

enum class RowsEventVersion { kV1, kV2 };

// Decodes the inserted rows of WRITE_ROWS events: the wanted columns only, the others are skipped
// by their length. Used by one thread.
class RowDecoder {
 public:
  // `character_sets` is borrowed and outlives the decoder.
  explicit RowDecoder(const CharacterSets& character_sets);

  // Tells how the following events are laid out and which columns (ordinals of `map`, any order,
  // repeats allowed) are wanted. `map` is borrowed until the next BindTable().
  // kUndecodable: a wanted column of a type or character set that is not decoded yet.
  [[nodiscard]] Result<void> BindTable(const TableMap& map, std::span<const std::size_t> wanted);

  // Starts on one event. `body`: after the event header, without checksum; borrowed until the last
  // row was read. kUndecodable: a column that is wanted is missing from the row image.
  [[nodiscard]] Result<void> BeginEvent(RowsEventVersion version, Bytes body);

  // Moves to the next row; false at the event's end. Values are valid until the next call.
  [[nodiscard]] Result<bool> NextRow();

  // In the order of `wanted`.
  [[nodiscard]] std::span<const ColumnValue> values() const;
};

}  // namespace outboxd::binlog
