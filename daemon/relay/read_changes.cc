#include "daemon/relay/read_changes.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace outboxd {
namespace {

using binlog::RowChange;

constexpr std::uint32_t kNull = 0xFFFFFFFF;

void AppendNumber(std::string& bytes, std::uint32_t number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void AppendValue(std::string& bytes, binlog::ColumnValue value) {
  AppendNumber(bytes, value ? static_cast<std::uint32_t>(value->size()) : kNull);
  if (value) bytes.append(*value);
}

std::uint32_t TakeNumber(std::string_view& bytes) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return number;
}

binlog::ColumnValue TakeValue(std::string_view& bytes) {
  const std::uint32_t size = TakeNumber(bytes);
  if (size == kNull) return std::nullopt;
  const std::string_view value = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return value;
}

// The values in the order in which the table is read: the log has that of the time of the change.
std::vector<binlog::ColumnValue> InOrderOf(const std::vector<std::string>& wanted,
                                           std::span<const std::string> columns,
                                           std::span<const binlog::ColumnValue> values) {
  if (columns.empty() || std::ranges::equal(wanted, columns)) {
    return {values.begin(), values.end()};
  }
  std::vector<binlog::ColumnValue> ordered;
  for (const std::string& name : wanted) {
    const auto found = std::ranges::find(columns, name);
    ordered.push_back(found == columns.end()
                          ? std::nullopt
                          : values[static_cast<std::size_t>(found - columns.begin())]);
  }
  return ordered;
}

// Empty where the log lacks a part of it.
binlog::KeyValues KeyOf(std::span<const binlog::ColumnValue> values) {
  binlog::KeyValues key;
  for (const binlog::ColumnValue& value : values) {
    if (!value) return {};
    key.emplace_back(*value);
  }
  return key;
}

}  // namespace

std::string RowImage::Encode(std::span<const binlog::ColumnValue> values,
                             std::span<const std::string> key) {
  std::string bytes;
  AppendNumber(bytes, static_cast<std::uint32_t>(values.size()));
  for (const binlog::ColumnValue& value : values) AppendValue(bytes, value);
  AppendNumber(bytes, static_cast<std::uint32_t>(key.size()));
  for (const std::string& part : key) AppendValue(bytes, part);
  return bytes;
}

void RowImage::Decode(std::string_view bytes) {
  values_.resize(TakeNumber(bytes));
  for (binlog::ColumnValue& value : values_) value = TakeValue(bytes);
  key_.resize(TakeNumber(bytes));
  for (std::string& part : key_) part = TakeValue(bytes).value_or("");
}

void ReadChanges::Clear() {
  waiting_.clear();
  waiting_bytes_ = 0;
}

void ReadChanges::Add(const binlog::Row& row) {
  const ReadTable& table = tables_[row.selection];
  if (table.is_acknowledged) return;
  Change change;
  change.table = row.selection;
  change.kind = row.change;
  change.is_partial = row.is_partial;
  const bool has_after = row.change != RowChange::kDelete;
  const auto before = row.change == RowChange::kUpdate ? row.before : row.values;
  const auto key_before = row.change == RowChange::kUpdate ? row.key_before : row.key;
  if (has_after) {
    change.key_after = KeyOf(row.key);
    if (!table.has_key()) change.place_after = PlaceOfValues(row.values, row.kinds);
  }
  if (row.change != RowChange::kInsert) {
    change.key_before = KeyOf(key_before);
    if (!table.has_key()) change.place_before = PlaceOfValues(before, row.kinds);
    change.image =
        RowImage::Encode(InOrderOf(table.columns, row.columns, before), change.key_before);
  }
  waiting_bytes_ += sizeof(Change) + change.image.size() + 64;
  waiting_.push_back(std::move(change));
}

binlog::Result<std::vector<ReadChanges::Loss>> ReadChanges::Enter(binlog::TableSource& source) {
  if (auto found = FindPlaces(source); !found) return std::unexpected(found.error());
  std::vector<Loss> losses;
  for (const Change& change : waiting_) {
    auto loss = Enter(change);
    if (!loss) return std::unexpected(loss.error());
    if (*loss) losses.push_back(std::move(**loss));
  }
  Clear();
  return losses;
}

// One question for each table.
binlog::Result<void> ReadChanges::FindPlaces(binlog::TableSource& source) {
  std::map<std::size_t, std::vector<binlog::KeyPlace*>> places;
  std::map<std::size_t, std::vector<binlog::KeyValues>> keys;
  for (Change& change : waiting_) {
    const auto want = [&](const binlog::KeyValues& key, binlog::KeyPlace& place) {
      if (key.empty() || !place.empty()) return;
      keys[change.table].push_back(key);
      places[change.table].push_back(&place);
    };
    want(change.key_before, change.place_before);
    want(change.key_after, change.place_after);
  }
  for (const auto& [table, wanted] : keys) {
    auto found = source.PlacesOf(tables_[table].description.key, wanted);
    if (!found) return std::unexpected(found.error());
    for (std::size_t i = 0; i < found->size(); ++i) *places[table][i] = std::move((*found)[i]);
  }
  return {};
}

// The one rule of the initial read (docs/initial-read.md). Only places behind what is acknowledged
// matter: no chunk comes before them again.
binlog::Result<std::optional<ReadChanges::Loss>> ReadChanges::Enter(const Change& change) {
  const ReadTable& table = tables_[change.table];
  const auto is_ahead = [&table](const binlog::KeyPlace& place) {
    return !place.empty() && (!table.acknowledged || place > table.acknowledged->place);
  };
  std::optional<Loss> loss;
  if (is_ahead(change.place_before)) {
    if (!change.is_partial) {
      auto kept = ledger_.KeepImage(change.table, change.place_before, change.image);
      if (!kept) return std::unexpected(kept.error());
    } else if (change.kind == RowChange::kDelete || change.place_after != change.place_before) {
      auto is_known = ledger_.LeavesOut(change.table, change.place_before);
      if (!is_known) return std::unexpected(is_known.error());
      if (!*is_known) loss = Loss{change.table, change.key_before};
    }
  } else if (change.kind != RowChange::kInsert && change.place_before.empty()) {
    loss = Loss{change.table, {}};  // The log does not even tell which row it was.
  }
  const bool has_arrived =
      change.kind == RowChange::kInsert ||
      (change.kind == RowChange::kUpdate && change.place_after != change.place_before);
  if (has_arrived && is_ahead(change.place_after)) {
    auto added = ledger_.AddArrival(change.table, change.place_after);
    if (!added) return std::unexpected(added.error());
  }
  return loss;
}

}  // namespace outboxd
