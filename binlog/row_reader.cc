#include "binlog/row_reader.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "binlog/any_case.h"

namespace outboxd::binlog {
namespace {

// Different tables and versions of tables that are kept, and what their TABLE_MAP events may take;
// parsed they take several times that.
constexpr std::size_t kKnownTablesMax = 32'768;
constexpr std::size_t kKnownBytesMax = std::size_t{8} << 20;

Result<void> TakeDeclaredNames(const TableSelection& selection, TableMap& map) {
  if (selection.declared_columns.size() != map.columns.size()) {
    return Fail(ErrorKind::kUnsuitable,
                "{}.{} had {} columns when this row was written, but 'columns' declares {}",
                map.schema_name, map.table_name, map.columns.size(),
                selection.declared_columns.size())
        .Hint(
            "declare all columns of the table in order, or SET PERSIST binlog_row_metadata = FULL");
  }
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    map.columns[i].name = selection.declared_columns[i];
  }
  map.has_names = true;
  return {};
}

std::span<const std::string> KeyColumns(const TableSelection& selection) {
  if (!selection.takes_all_changes) return {};
  return selection.key_columns;
}

// The columns that have to be told for certain.
std::vector<std::string> NamesWanted(const TableSelection& selection,
                                     std::span<const ColumnFacts> today) {
  if (selection.whole_row != WholeRow::kNo) {
    return selection.declared_columns.empty() ? NamesOf(today) : selection.declared_columns;
  }
  std::vector<std::string> names = selection.columns;
  const std::span<const std::string> key = KeyColumns(selection);
  names.insert(names.end(), key.begin(), key.end());
  return names;
}

std::unexpected<Error> NoNames(const TableMap& map, std::string_view reason) {
  return Fail(ErrorKind::kUnsuitable,
              "the binary log does not describe the columns of {}.{}, and {}", map.schema_name,
              map.table_name, reason)
      .Hint(
          "SET PERSIST binlog_row_metadata = FULL (for rows written from then on), or declare the "
          "columns that the table had, in order, with 'columns = a,b,c'");
}

std::unexpected<Error> NoKinds(const TableMap& map, std::string_view reason) {
  return Fail(ErrorKind::kUnsuitable,
              "the binary log does not tell the signs and character sets of {}.{}, nor do "
              "'columns' and today's table for certain: {}",
              map.schema_name, map.table_name, reason)
      .Hint(
          "declare what it was then behind the column's name, 'columns = a,b:CHARACTER_SET,c' for "
          "a text and 'b:signed' or 'b:unsigned' for an integer");
}

RowsEventVersion VersionOf(EventType type) {
  const bool is_v1 = type == EventType::kWriteRowsV1 || type == EventType::kUpdateRowsV1 ||
                     type == EventType::kDeleteRowsV1;
  return is_v1 ? RowsEventVersion::kV1 : RowsEventVersion::kV2;
}

RowChange ChangeOf(EventType type) {
  if (type == EventType::kWriteRows || type == EventType::kWriteRowsV1) return RowChange::kInsert;
  const bool is_delete = type == EventType::kDeleteRows || type == EventType::kDeleteRowsV1;
  return is_delete ? RowChange::kDelete : RowChange::kUpdate;
}

// The columns that MySQL makes for itself behind an index on an expression. Up to 8.0.17 they stand
// in the table map but in no row.
bool IsHidden(const Column& column) {
  return column.type == ColumnType::kTypedArray || column.name.starts_with("!hidden!");
}

void WantWholeRow(const TableMap& map, std::vector<std::string>& names,
                  std::vector<std::size_t>& wanted) {
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    if (IsHidden(map.columns[i])) continue;
    names.push_back(map.has_names ? map.columns[i].name : fmt::format("@{}", i + 1));
    wanted.push_back(i);
  }
}

}  // namespace

RowReader::RowReader(const TableFilter& filter, const CharacterSets& character_sets,
                     SchemaLookup lookup)
    : filter_(filter), lookup_(std::move(lookup)), decoder_(character_sets) {}

void RowReader::Begin(TransactionBuffer& rows) {
  rows_ = &rows;
  rows_->Rewind();
  // They are told apart by the transaction: to insert each anew would cost an allocation.
  if (open_.size() > kKnownTablesMax) open_.clear();
  in_event_ = false;
  ++transaction_;
}

Result<const Row*> RowReader::Next() {
  while (true) {
    if (in_event_) {
      auto has_row = decoder_.NextRow();
      if (!has_row) {
        return Fail(has_row.error(), "table {}.{}", row_.schema_name, row_.table_name);
      }
      if (*has_row) {
        row_.values = decoder_.values();
        return &row_;
      }
      in_event_ = false;
    }
    auto record = rows_->Next();
    if (!record) return std::unexpected(record.error());
    if (!record->has_value()) return nullptr;
    const auto& [type, body] = **record;
    auto done = type == EventType::kTableMap ? OnTableMap(body) : OnRows(type, body);
    if (!done) return std::unexpected(done.error());
  }
}

Result<void> RowReader::OnTableMap(Bytes body) {
  const auto known = Know(body);
  if (!known) return std::unexpected(known.error());
  open_.insert_or_assign((*known)->map.table_id, OpenTable{transaction_, *known});
  return {};
}

Result<const RowReader::KnownTable*> RowReader::Know(Bytes body) {
  const std::string_view text = AsText(body);
  const bool is_last = !known_.empty() && known_.front().body == text;
  const auto found = is_last ? known_by_body_.end() : known_by_body_.find(text);
  if (found != known_by_body_.end()) {
    known_.splice(known_.begin(), known_, found->second);
  } else if (!is_last) {
    auto made = MakeKnown(body);
    if (!made) return std::unexpected(made.error());
    known_.push_front(std::move(*made));
    known_by_body_.emplace(known_.front().body, known_.begin());
    known_bytes_ += body.size();
  }
  known_.front().used_by = transaction_;
  ForgetUnused();
  return &known_.front();
}

// Never one that this transaction has used: its rows may follow.
void RowReader::ForgetUnused() {
  while ((known_.size() > kKnownTablesMax || known_bytes_ > kKnownBytesMax) &&
         known_.back().used_by != transaction_) {
    if (bound_ == &known_.back()) bound_ = nullptr;
    known_bytes_ -= known_.back().body.size();
    known_by_body_.erase(known_.back().body);
    known_.pop_back();
  }
}

Result<RowReader::KnownTable> RowReader::MakeKnown(Bytes body) const {
  auto map = TableMap::Parse(body);
  if (!map) return std::unexpected(map.error());
  const auto selection_index = filter_.Match(map->schema_name, map->table_name);
  if (!selection_index) {
    return Fail(ErrorKind::kUndecodable, "table {}.{} is not selected", map->schema_name,
                map->table_name);
  }
  const TableSelection& selection = filter_[*selection_index];
  KnownTable known{.body = std::string(AsText(body)),
                   .map = std::move(*map),
                   .selection = *selection_index,
                   .names = selection.columns,
                   .wanted = {},
                   .kinds = {},
                   .key = {}};
  if (auto found = FindColumns(selection, known); !found) return std::unexpected(found.error());
  for (const std::size_t ordinal : known.wanted) {
    known.kinds.push_back(KindOf(known.map.columns[ordinal]));
  }
  return known;
}

Result<void> RowReader::FindColumns(const TableSelection& selection, KnownTable& known) const {
  const std::span<const std::string> key = KeyColumns(selection);
  if (!selection.columns.empty() || !key.empty() || selection.whole_row == WholeRow::kNamed) {
    if (auto named = NameColumns(selection, known.map); !named) return named;
  }
  for (const std::string& name : selection.columns) {
    const auto ordinal = FindColumn(known.map, name);
    if (!ordinal) return std::unexpected(ordinal.error());
    known.wanted.push_back(*ordinal);
  }
  for (const std::string& name : key) {
    const auto ordinal = FindColumn(known.map, name);
    if (!ordinal) return std::unexpected(ordinal.error());
    known.key.push_back(*ordinal);
  }
  if (selection.whole_row != WholeRow::kNo) WantWholeRow(known.map, known.names, known.wanted);
  return {};
}

Result<std::size_t> RowReader::FindColumn(const TableMap& map, const std::string& name) const {
  const auto found = FindInAnyCase(map.columns, name, &Column::name);
  if (found != map.columns.end()) return static_cast<std::size_t>(found - map.columns.begin());
  return Fail(ErrorKind::kUnsuitable, "table {}.{} had no column '{}' when this row was written",
              map.schema_name, map.table_name, name)
      .Hint(
          "in [outbox] name only columns that the table had all the time, or pass such "
          "transactions with 'outboxd position set'");
}

Result<void> RowReader::NameColumns(const TableSelection& selection, TableMap& map) const {
  if (map.has_names) return {};
  if (!selection.declared_columns.empty()) return TakeDeclared(selection, map);
  if (!lookup_) return NoNames(map, "they are not declared");
  auto today = lookup_(map.schema_name, map.table_name);
  if (!today) return std::unexpected(today.error());
  auto told = binlog::NameColumns(*today, NamesWanted(selection, *today), map);
  if (told) return {};
  return NoNames(map, "today's table does not tell for certain: " + told.error().message);
}

Result<void> RowReader::TakeDeclared(const TableSelection& selection, TableMap& map) const {
  if (auto taken = TakeDeclaredNames(selection, map); !taken) return taken;
  if (map.has_signedness) return {};
  const auto unknown = TakeKinds(selection.declared_kinds, NamesWanted(selection, {}), map);
  if (!unknown) return NoKinds(map, unknown.error().message);
  if (unknown->empty() || !lookup_) return {};
  auto today = lookup_(map.schema_name, map.table_name);
  if (!today) return std::unexpected(today.error());
  auto told = TakeSigns(*today, *unknown, map);
  return told ? Result<void>() : NoKinds(map, told.error().message);
}

Result<void> RowReader::Bind(const KnownTable& known) {
  const TableSelection& selection = filter_[known.selection];
  std::vector<ColumnDefault> defaults;
  for (const auto& [name, value] : selection.declared_defaults) {
    const auto found = FindInAnyCase(known.names, name);
    if (found == known.names.end()) continue;
    defaults.push_back({known.wanted[static_cast<std::size_t>(found - known.names.begin())],
                        value ? ColumnValue(*value) : std::nullopt});
  }
  auto bound =
      selection.takes_all_changes
          ? decoder_.BindChanges(known.map, known.wanted, known.key, std::move(defaults),
                                 selection.json)
          : decoder_.BindTable(known.map, known.wanted, std::move(defaults), selection.json);
  if (!bound) return bound;
  bound_ = &known;
  return {};
}

Result<void> RowReader::OnRows(EventType type, Bytes body) {
  const std::uint64_t table_id = ByteCursor(body).U48();
  const auto open = open_.find(table_id);
  if (open == open_.end() || open->second.transaction != transaction_) {
    return Fail(ErrorKind::kCorrupt, "rows of table id {} without a table map", table_id);
  }
  const KnownTable& known = *open->second.known;
  row_.schema_name = known.map.schema_name;
  row_.table_name = known.map.table_name;
  if (type == EventType::kPartialUpdateRows) {
    return Fail(ErrorKind::kUndecodable,
                "table {}.{}: the log holds an updated JSON document in parts only",
                row_.schema_name, row_.table_name)
        .Hint("SET PERSIST binlog_row_value_options = '', and no session may set it otherwise");
  }
  if (bound_ != &known) {
    auto bound = Bind(known);
    if (!bound) return Fail(bound.error(), "table {}.{}", row_.schema_name, row_.table_name);
  }
  const RowChange change = ChangeOf(type);
  auto begun = decoder_.BeginEvent(VersionOf(type), body, change);
  if (!begun) return Fail(begun.error(), "table {}.{}", row_.schema_name, row_.table_name);
  DescribeRows(known, change);
  in_event_ = true;
  return {};
}

// What is the same of all rows of the event.
void RowReader::DescribeRows(const KnownTable& known, RowChange change) {
  row_.selection = known.selection;
  row_.columns = known.names;
  row_.kinds = known.kinds;
  row_.change = change;
  const bool takes_all_changes = filter_[known.selection].takes_all_changes;
  const bool has_before = takes_all_changes && change == RowChange::kUpdate;
  const std::span<const ColumnValue> none;
  row_.key = takes_all_changes ? decoder_.key() : none;
  row_.before = has_before ? decoder_.before() : none;
  row_.key_before = has_before ? decoder_.key_before() : none;
  row_.is_partial = takes_all_changes && decoder_.is_partial();
}

}  // namespace outboxd::binlog
