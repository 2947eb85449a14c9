#include "binlog/row_decoder.h"

#include <algorithm>
#include <string>
#include <utility>

namespace outboxd::binlog {
namespace {

bool IsInteger(ColumnType type) {
  return type == ColumnType::kTiny || type == ColumnType::kShort || type == ColumnType::kInt24 ||
         type == ColumnType::kLong || type == ColumnType::kLongLong;
}

bool IsSet(Bytes bits, std::size_t index) { return (bits[index / 8] >> (index % 8) & 1) != 0; }

std::string NameOf(const TableMap& map, std::size_t ordinal) {
  const std::string& name = map.columns[ordinal].name;
  return name.empty() ? fmt::format("column {}", ordinal + 1) : fmt::format("column '{}'", name);
}

}  // namespace

RowDecoder::RowDecoder(const CharacterSets& character_sets) : converters_(character_sets) {}

std::unexpected<Error> RowDecoder::InColumn(const Error& cause, std::size_t ordinal) const {
  return Fail(cause, "{}", NameOf(*map_, ordinal));
}

Result<void> RowDecoder::BindTable(const TableMap& map, std::span<const std::size_t> wanted,
                                   std::vector<ColumnDefault> defaults, JsonStyle json) {
  map_ = &map;
  defaults_ = std::move(defaults);
  rows_ = ByteCursor(Bytes{});
  sizes_.clear();
  wanted_.clear();
  repeats_.clear();
  wanted_index_.assign(map.columns.size(), kUnwanted);
  values_.assign(wanted.size(), ColumnValue{});
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto size = SizeOf(map.columns[i]);
    if (!size) return InColumn(size.error(), i);
    sizes_.push_back(*size);
  }
  for (std::size_t slot = 0; slot < wanted.size(); ++slot) {
    if (auto bound = BindWanted(wanted[slot], slot, json); !bound) return bound;
  }
  return {};
}

Result<void> RowDecoder::BindWanted(std::size_t ordinal, std::size_t slot, JsonStyle json) {
  if (ordinal >= map_->columns.size()) {
    return Fail(ErrorKind::kUndecodable, "column {} of {} is wanted", ordinal + 1,
                map_->columns.size());
  }
  if (const std::size_t earlier = wanted_index_[ordinal]; earlier != kUnwanted) {
    repeats_.push_back({slot, wanted_[earlier].slot});
    return {};
  }
  const Column& column = map_->columns[ordinal];
  if (IsInteger(column.type) && !map_->has_signedness) {
    return Fail(ErrorKind::kUndecodable,
                "{}: the binary log does not tell whether the integer is signed HINT: MySQL writes"
                " it from 8.0 on, MariaDB with SET GLOBAL binlog_row_metadata = FULL",
                NameOf(*map_, ordinal));
  }
  auto decoder = ValueDecoder::Make(column, converters_, json);
  if (!decoder) return InColumn(decoder.error(), ordinal);
  wanted_index_[ordinal] = wanted_.size();
  wanted_.push_back({ordinal, slot, std::move(*decoder)});
  return {};
}

Result<void> RowDecoder::BeginEvent(RowsEventVersion version, Bytes body, RowsChange change) {
  constexpr std::size_t kTableIdAndFlagsSize = 8;
  constexpr std::uint16_t kExtraSizeField = 2;
  rows_ = ByteCursor(Bytes{});
  ByteCursor cursor(body);
  cursor.Skip(kTableIdAndFlagsSize);
  if (version == RowsEventVersion::kV2) {
    // Counts itself; holds partition numbers and the like.
    const std::uint16_t extra = cursor.U16();
    if (extra < kExtraSizeField) {
      return Fail(ErrorKind::kCorrupt, "ROWS event: extra header of {} bytes", extra);
    }
    cursor.Skip(extra - kExtraSizeField);
  }
  const std::uint64_t width = cursor.PackedInteger();
  if (cursor.ok() && width != map_->columns.size()) {
    return Fail(ErrorKind::kCorrupt, "ROWS event: {} columns where the table map has {}", width,
                map_->columns.size());
  }
  has_before_ = change == RowsChange::kUpdate;
  const Bytes before = has_before_ ? cursor.Take((width + 7) / 8) : Bytes{};
  const Bytes present = cursor.Take((width + 7) / 8);
  if (!cursor.ok()) return Fail(ErrorKind::kCorrupt, "ROWS event: header cut off");
  if (auto checked = CheckPresence(change, present); !checked) return checked;
  SelectPresent(present);
  present_before_.clear();
  for (std::size_t i = 0; has_before_ && i < sizes_.size(); ++i) {
    if (IsSet(before, i)) present_before_.push_back(sizes_[i]);
  }
  if (present_.empty() && !cursor.AtEnd()) {
    return Fail(ErrorKind::kCorrupt, "ROWS event: {} bytes of rows without columns",
                cursor.remaining());
  }
  rows_ = cursor;
  return {};
}

// A column is missing from an inserted row if it was given no value, and from an updated one if it
// was not changed: only for the first a default is the right value.
Result<void> RowDecoder::CheckPresence(RowsChange change, Bytes present) {
  for (const WantedColumn& column : wanted_) {
    if (IsSet(present, column.ordinal)) continue;
    const auto known = std::ranges::find(defaults_, column.ordinal, &ColumnDefault::ordinal);
    if (known == defaults_.end() || change != RowsChange::kInsert) {
      return Fail(
          ErrorKind::kUndecodable,
          "{} is missing from the row image, which is not the same as NULL HINT: SET PERSIST"
          " binlog_row_image = FULL, and no session may set it otherwise; a row that was"
          " inserted so can be published if the column's default is declared with 'default ="
          " COLUMN:VALUE' (or 'COLUMN' alone for NULL)",
          NameOf(*map_, column.ordinal));
    }
    values_[column.slot] = known->value;
  }
  return {};
}

void RowDecoder::SelectPresent(Bytes present) {
  present_.clear();
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (IsSet(present, i)) present_.push_back({sizes_[i], wanted_index_[i]});
  }
}

void RowDecoder::SkipBefore() {
  const Bytes nulls = rows_.Take((present_before_.size() + 7) / 8);
  for (std::size_t i = 0; rows_.ok() && i < present_before_.size(); ++i) {
    if (IsSet(nulls, i)) continue;
    const ValueSize& size = present_before_[i];
    rows_.Skip(size.prefix == 0 ? size.fixed : rows_.Little(size.prefix));
  }
}

Result<bool> RowDecoder::NextRow() {
  if (rows_.AtEnd()) return false;
  arena_.Clear();
  if (has_before_) SkipBefore();
  const Bytes nulls = rows_.Take((present_.size() + 7) / 8);
  if (!rows_.ok()) return Fail(ErrorKind::kCorrupt, "ROWS event: a row is cut off");
  for (std::size_t i = 0; i < present_.size(); ++i) {
    const PresentColumn& column = present_[i];
    if (IsSet(nulls, i)) {
      if (column.wanted != kUnwanted) values_[wanted_[column.wanted].slot].reset();
      continue;
    }
    const std::uint64_t size =
        column.size.prefix == 0 ? column.size.fixed : rows_.Little(column.size.prefix);
    const Bytes value = rows_.Take(size);
    if (!rows_.ok()) return Fail(ErrorKind::kCorrupt, "ROWS event: a row is cut off");
    if (column.wanted == kUnwanted) continue;
    const WantedColumn& wanted = wanted_[column.wanted];
    const auto text = wanted.decoder.Decode(value, arena_);
    if (!text) {
      rows_ = ByteCursor(Bytes{});
      return InColumn(text.error(), wanted.ordinal);
    }
    values_[wanted.slot] = *text;
  }
  for (const Repeat& repeat : repeats_) values_[repeat.slot] = values_[repeat.same_as];
  return true;
}

}  // namespace outboxd::binlog
