#include "daemon/relay/read_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/hex.h"
#include "base/stable_hash.h"

namespace outboxd {
namespace {

bool IsBytesType(std::string_view type) {
  return type.starts_with("binary") || type.starts_with("varbinary") || type.starts_with("bit") ||
         type.find("blob") != std::string_view::npos;
}

// As the selection wants them of a row in the log.
std::vector<std::string> ColumnsOf(const binlog::TableFacts& table,
                                   const binlog::TableSelection& selection) {
  std::vector<std::string> columns = selection.columns;
  if (selection.whole_row == binlog::WholeRow::kNo) return columns;
  std::ranges::move(binlog::NamesOf(table.columns), std::back_inserter(columns));
  return columns;
}

// As the log tells them of the stream.
std::vector<binlog::ValueKind> KindsOf(const binlog::TableFacts& table,
                                       const std::vector<std::string>& columns) {
  std::vector<binlog::ValueKind> kinds;
  for (const std::string& name : columns) {
    const binlog::ColumnFacts* const column = binlog::FindColumn(table.columns, name);
    kinds.push_back(column == nullptr ? binlog::ValueKind::kText : binlog::KindOf(*column));
  }
  return kinds;
}

// All that decides the order of a key's column.
std::string TypeOf(const ReadTable& table, const binlog::KeyColumn& key) {
  const auto* column = binlog::FindColumn(table.description.facts.columns, key.name);
  std::string type = column == nullptr ? key.type : column->type;
  if (!key.collation.empty()) type += " " + key.collation;
  if (key.is_descending) type += " desc";
  return type;
}

std::string Escaped(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == ',' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

ReadTable MakeReadTable(binlog::TableToRead description, std::uint32_t index,
                        const binlog::TableSelection& selection) {
  std::vector<std::string> columns = ColumnsOf(description.facts, selection);
  std::vector<binlog::ValueKind> kinds = KindsOf(description.facts, columns);
  return ReadTable{.description = std::move(description),
                   .selection = index,
                   .json = selection.json,
                   .columns = std::move(columns),
                   .kinds = std::move(kinds)};
}

binlog::TableSelection SelectionOfChanges(const ReadTable& table,
                                          const binlog::TableSelection& selection) {
  binlog::TableSelection changes = selection;
  changes.schema_pattern = table.schema_name();
  changes.table_pattern = table.table_name();
  changes.takes_updates = false;
  changes.takes_all_changes = true;
  changes.key_columns.clear();
  for (const binlog::KeyColumn& column : table.description.key.columns) {
    changes.key_columns.push_back(column.name);
  }
  return changes;
}

bool IsReadAlike(const ReadTable& before, const ReadTable& now) {
  if (before.description.key != now.description.key || before.columns != now.columns) return false;
  return std::ranges::all_of(before.columns, [&](const std::string& name) {
    const auto* a = binlog::FindColumn(before.description.facts.columns, name);
    const auto* b = binlog::FindColumn(now.description.facts.columns, name);
    if (a == nullptr || b == nullptr) return a == b;
    return a->type == b->type && a->collation == b->collation;
  });
}

TableReadState StateOf(const ReadTable& table, const ReadCursor* cursor, bool is_done) {
  TableReadState state{.schema_name = table.schema_name(),
                       .table_name = table.table_name(),
                       .is_done = is_done,
                       .last_key = {},
                       .rows = table.rows_handed};
  if (cursor == nullptr || is_done) return state;
  const auto& columns = table.description.key.columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    state.last_key.push_back({columns[i].name, TypeOf(table, columns[i]), cursor->key[i]});
  }
  return state;
}

bool HasBegun(const TableReadState& state) { return state.is_done || !state.last_key.empty(); }

std::optional<binlog::KeyValues> StoredKey(const ReadTable& table, const TableReadState& state) {
  const auto& columns = table.description.key.columns;
  if (state.last_key.empty() || state.last_key.size() != columns.size()) return std::nullopt;
  binlog::KeyValues key;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ReadKeyPart& part = state.last_key[i];
    if (part.column != columns[i].name || part.type != TypeOf(table, columns[i])) {
      return std::nullopt;
    }
    key.push_back(part.value);
  }
  return key;
}

binlog::KeyPlace PlaceOfValues(std::span<const binlog::ColumnValue> values,
                               std::span<const binlog::ValueKind> kinds) {
  binlog::KeyPlace place = "row";  // Never empty.
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (kinds[i] == binlog::ValueKind::kJson) continue;
    place += values[i] ? fmt::format("{}:{}", values[i]->size(), *values[i]) : "-";
  }
  return place;
}

std::string PositionKey(const binlog::TableKey& key, std::span<const std::string> values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += ',';
    if (IsBytesType(key.columns[i].type)) {
      text += "0x";
      AppendHex(values[i], text);
    } else {
      text += values.size() == 1 ? values[i] : Escaped(values[i]);
    }
  }
  return text;
}

std::string PositionKey(const binlog::KeyPlace& place) {
  constexpr std::uint64_t kOtherSeed = 0x4fd0bfc14fd0bfc1;
  return fmt::format("row-{:016x}{:016x}", StableHash(place), StableHash(place, kOtherSeed));
}

}  // namespace outboxd
