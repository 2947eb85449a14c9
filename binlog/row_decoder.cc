#include "binlog/row_decoder.h"

#include <algorithm>
#include <string>
#include <utility>

namespace outboxd::binlog {
namespace {

bool IsSet(Bytes bits, std::size_t index) { return (bits[index / 8] >> (index % 8) & 1) != 0; }

std::string NameOf(const TableMap& map, std::size_t ordinal) {
  const std::string& name = map.columns[ordinal].name;
  return name.empty() ? fmt::format("column {}", ordinal + 1) : fmt::format("column '{}'", name);
}

std::unexpected<Error> CutOff() {
  return Fail(ErrorKind::kCorrupt, "ROWS event: a row is cut off");
}

}  // namespace

RowDecoder::RowDecoder(const CharacterSets& character_sets) : converters_(character_sets) {}

std::unexpected<Error> RowDecoder::InColumn(const Error& cause, std::size_t ordinal) const {
  return Fail(cause, "{}", NameOf(*map_, ordinal));
}

Result<void> RowDecoder::BindTable(const TableMap& map, std::span<const std::size_t> wanted,
                                   std::vector<ColumnDefault> defaults, JsonStyle json) {
  takes_changes_ = false;
  return BindColumns(map, wanted, {}, std::move(defaults), json);
}

Result<void> RowDecoder::BindChanges(const TableMap& map, std::span<const std::size_t> wanted,
                                     std::span<const std::size_t> key,
                                     std::vector<ColumnDefault> defaults, JsonStyle json) {
  takes_changes_ = true;
  return BindColumns(map, wanted, key, std::move(defaults), json);
}

Result<void> RowDecoder::BindColumns(const TableMap& map, std::span<const std::size_t> wanted,
                                     std::span<const std::size_t> key,
                                     std::vector<ColumnDefault> defaults, JsonStyle json) {
  map_ = &map;
  defaults_ = std::move(defaults);
  rows_ = ByteCursor(Bytes{});
  sizes_.clear();
  wanted_.clear();
  repeats_.clear();
  wanted_index_.assign(map.columns.size(), kUnwanted);
  wanted_count_ = wanted.size();
  values_.assign(wanted.size() + key.size(), ColumnValue{});
  before_.assign(takes_changes_ ? values_.size() : 0, ColumnValue{});
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto size = SizeOf(map.columns[i]);
    if (!size) return InColumn(size.error(), i);
    sizes_.push_back(*size);
  }
  std::size_t slot = 0;
  for (const std::size_t ordinal : wanted) {
    if (auto bound = BindColumn(ordinal, slot++, false, json); !bound) return bound;
  }
  for (const std::size_t ordinal : key) {
    if (auto bound = BindColumn(ordinal, slot++, true, json); !bound) return bound;
  }
  return {};
}

Result<void> RowDecoder::BindColumn(std::size_t ordinal, std::size_t slot, bool is_key,
                                    JsonStyle json) {
  if (ordinal >= map_->columns.size()) {
    return Fail(ErrorKind::kUndecodable, "column {} of {} is wanted", ordinal + 1,
                map_->columns.size());
  }
  const Column& column = map_->columns[ordinal];
  const bool is_in_key_form = is_key && HasKeyForm(column);
  std::size_t* index = &wanted_index_[ordinal];
  for (; *index != kUnwanted; index = &wanted_[*index].other_form) {
    if (wanted_[*index].is_in_key_form != is_in_key_form) continue;
    repeats_.push_back({slot, wanted_[*index].slot});
    return {};
  }
  if (IsInteger(column.type) && !map_->has_signedness) {
    return Fail(ErrorKind::kUndecodable,
                "{}: the binary log does not tell whether the integer is signed",
                NameOf(*map_, ordinal))
        .Hint("MySQL writes it from 8.0 on, MariaDB with SET GLOBAL binlog_row_metadata = FULL");
  }
  auto decoder = is_in_key_form ? ValueDecoder::MakeForKey(column, converters_)
                                : ValueDecoder::Make(column, converters_, json);
  if (!decoder) return InColumn(decoder.error(), ordinal);
  *index = wanted_.size();
  wanted_.push_back({.ordinal = ordinal,
                     .slot = slot,
                     .decoder = std::move(*decoder),
                     .is_in_key_form = is_in_key_form});
  return {};
}

Result<void> RowDecoder::BeginEvent(RowsEventVersion version, Bytes body, RowChange change) {
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
  has_before_ = change == RowChange::kUpdate;
  const Bytes before = has_before_ ? cursor.Take((width + 7) / 8) : Bytes{};
  const Bytes present = cursor.Take((width + 7) / 8);
  if (!cursor.ok()) return Fail(ErrorKind::kCorrupt, "ROWS event: header cut off");
  if (takes_changes_) {
    TakeAbsent(change, before, present);
  } else if (auto checked = CheckPresence(change, present); !checked) {
    return checked;
  }
  SelectPresent(present, present_);
  present_before_.clear();
  if (has_before_) SelectPresent(before, present_before_);
  if (present_.empty() && !cursor.AtEnd()) {
    return Fail(ErrorKind::kCorrupt, "ROWS event: {} bytes of rows without columns",
                cursor.remaining());
  }
  rows_ = cursor;
  return {};
}

// A column is missing from an inserted row if it was given no value, and from an updated one if it
// was not changed: only for the first a default is the right value.
Result<void> RowDecoder::CheckPresence(RowChange change, Bytes present) {
  for (const WantedColumn& column : wanted_) {
    if (IsSet(present, column.ordinal)) continue;
    const auto known = std::ranges::find(defaults_, column.ordinal, &ColumnDefault::ordinal);
    if (known == defaults_.end() || change != RowChange::kInsert) {
      return Fail(ErrorKind::kUndecodable,
                  "{} is missing from the row image, which is not the same as NULL",
                  NameOf(*map_, column.ordinal))
          .Hint(
              "SET PERSIST binlog_row_image = FULL, and no session may set it otherwise; a row "
              "that was inserted so can be published if the column's default is declared with "
              "'default = COLUMN:VALUE' (or 'COLUMN' alone for NULL)");
    }
    values_[column.slot] = known->value;
  }
  return {};
}

void RowDecoder::TakeAbsent(RowChange change, Bytes before, Bytes present) {
  is_partial_ = false;
  unchanged_.clear();
  for (const WantedColumn& column : wanted_) {
    if (has_before_ && !IsSet(before, column.ordinal)) {
      before_[column.slot].reset();
      is_partial_ = true;
    }
    if (!IsSet(present, column.ordinal)) TakeAbsentAfter(column, change, before);
  }
}

void RowDecoder::TakeAbsentAfter(const WantedColumn& column, RowChange change, Bytes before) {
  if (has_before_ && IsSet(before, column.ordinal)) {
    unchanged_.push_back(column.slot);
    return;
  }
  const auto known = std::ranges::find(defaults_, column.ordinal, &ColumnDefault::ordinal);
  // Defaults are declared as SELECT shows them.
  const bool has_default = change == RowChange::kInsert && known != defaults_.end() &&
                           (!column.is_in_key_form || !known->value);
  values_[column.slot] = has_default ? known->value : std::nullopt;
  if (!has_default) is_partial_ = true;
}

void RowDecoder::SelectPresent(Bytes present, std::vector<PresentColumn>& columns) const {
  columns.clear();
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (IsSet(present, i)) columns.push_back({sizes_[i], wanted_index_[i]});
  }
}

void RowDecoder::SkipBefore() {
  const Bytes nulls = rows_.Take((present_before_.size() + 7) / 8);
  for (std::size_t i = 0; rows_.ok() && i < present_before_.size(); ++i) {
    if (IsSet(nulls, i)) continue;
    const ValueSize& size = present_before_[i].size;
    rows_.Skip(size.prefix == 0 ? size.fixed : rows_.Little(size.prefix));
  }
}

// Moves behind one image. `kHasKey`: columns may be wanted in key form as well.
template <bool kHasKey>
Result<void> RowDecoder::ReadImage(std::span<const PresentColumn> present,
                                   std::vector<ColumnValue>& values) {
  const auto next = [this](std::size_t index) {
    return kHasKey ? wanted_[index].other_form : kUnwanted;
  };
  const Bytes nulls = rows_.Take((present.size() + 7) / 8);
  if (!rows_.ok()) return CutOff();
  for (std::size_t i = 0; i < present.size(); ++i) {
    const PresentColumn& column = present[i];
    if (IsSet(nulls, i)) {
      for (std::size_t at = column.wanted; at != kUnwanted; at = next(at)) {
        values[wanted_[at].slot].reset();
      }
      continue;
    }
    const std::uint64_t size =
        column.size.prefix == 0 ? column.size.fixed : rows_.Little(column.size.prefix);
    const Bytes value = rows_.Take(size);
    if (!rows_.ok()) return CutOff();
    for (std::size_t at = column.wanted; at != kUnwanted; at = next(at)) {
      const WantedColumn& wanted = wanted_[at];
      const auto text = wanted.decoder.Decode(value, arena_);
      if (!text) {
        rows_ = ByteCursor(Bytes{});
        return InColumn(text.error(), wanted.ordinal);
      }
      values[wanted.slot] = *text;
    }
  }
  return {};
}

Result<bool> RowDecoder::NextRow() {
  if (rows_.AtEnd()) return false;
  arena_.Clear();
  if (takes_changes_) return NextChange();
  if (has_before_) SkipBefore();
  if (auto read = ReadImage<false>(present_, values_); !read) return std::unexpected(read.error());
  for (const Repeat& repeat : repeats_) values_[repeat.slot] = values_[repeat.same_as];
  return true;
}

Result<bool> RowDecoder::NextChange() {
  if (has_before_) {
    auto read = ReadImage<true>(present_before_, before_);
    if (!read) return std::unexpected(read.error());
  }
  if (auto read = ReadImage<true>(present_, values_); !read) return std::unexpected(read.error());
  for (const std::size_t slot : unchanged_) values_[slot] = before_[slot];
  for (const Repeat& repeat : repeats_) {
    values_[repeat.slot] = values_[repeat.same_as];
    before_[repeat.slot] = before_[repeat.same_as];
  }
  return true;
}

}  // namespace outboxd::binlog
