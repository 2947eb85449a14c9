#include "daemon/relay/read_tables.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "binlog/any_case.h"

namespace outboxd {
namespace {

ReadTable* FindTable(std::vector<ReadTable>& tables, const ReadTable& wanted) {
  const auto found = std::ranges::find_if(tables, [&wanted](const ReadTable& table) {
    return table.schema_name() == wanted.schema_name() && table.table_name() == wanted.table_name();
  });
  return found == tables.end() ? nullptr : &*found;
}

// The number of the first one that `is_wanted`.
template <typename Predicate>
std::optional<std::size_t> FirstThat(const std::vector<ReadTable>& tables, Predicate is_wanted) {
  const auto found = std::ranges::find_if(tables, is_wanted);
  if (found == tables.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tables.begin());
}

}  // namespace

ReadTables::ReadTables(Parts parts, std::chrono::milliseconds statement_timeout)
    : parts_(parts), statement_timeout_(statement_timeout) {}

binlog::Result<ReadTables::Described> ReadTables::Describe() {
  auto found = Find();
  if (!found) return std::unexpected(found.error());
  Described described = Described::kFirst;
  if (is_described_) {
    auto compared = CompareWith(std::move(*found));
    if (!compared) return compared;
    described = *compared;
  } else if (auto begun = Begin(std::move(*found)); !begun) {
    return std::unexpected(begun.error());
  }
  must_be_described_ = false;
  return described;
}

binlog::Result<std::vector<ReadTable>> ReadTables::Find() {
  std::vector<ReadTable> found;
  for (std::uint32_t i = 0; i < parts_.selections.size(); ++i) {
    const binlog::TableSelection& selection = parts_.selections[i];
    // Some statements for each table.
    parts_.liveness.ExpectAnswerWithin(10 * statement_timeout_);
    auto described = parts_.source.Describe(selection.schema_pattern, selection.table_pattern);
    if (!described) return std::unexpected(described.error());
    for (binlog::TableToRead& table : *described) {
      found.push_back(MakeReadTable(std::move(table), i, selection));
    }
  }
  return found;
}

binlog::Result<void> ReadTables::Begin(std::vector<ReadTable> found) {
  const Progress progress = parts_.tracker.progress();
  const InitialRead read = progress.read.value_or(InitialRead{});
  for (ReadTable& table : found) {
    if (auto resumed = Resume(read, table); !resumed) return resumed;
  }
  if (auto all = FindUnfinished(read, found); !all) return all;
  tables_ = std::move(found);
  is_described_ = true;
  const binlog::Position& begin = progress.position;
  spdlog::info(
      "initial read of {} table{} as of {}", tables_.size(), tables_.size() == 1 ? "" : "s",
      begin.file.empty() ? begin.gtids.ToText() : fmt::format("{}:{}", begin.file, begin.offset));
  return {};
}

// Where a former process, or the checkpoint, left it.
binlog::Result<void> ReadTables::Resume(const InitialRead& read, ReadTable& table) {
  const auto state = std::ranges::find_if(read.tables, [&table](const TableReadState& stored) {
    return stored.schema_name == table.schema_name() && stored.table_name == table.table_name();
  });
  if (state == read.tables.end() || !HasBegun(*state)) return {};
  table.rows_handed = table.rows_acknowledged = state->rows;
  table.is_handed = table.is_acknowledged = state->is_done;
  if (state->is_done) return {};
  auto key = StoredKey(table, *state);
  if (!key) {
    spdlog::warn("the key of table {}.{} was altered: its initial read begins again",
                 table.schema_name(), table.table_name());
    return {};
  }
  auto places = parts_.source.PlacesOf(table.description.key, {*key});
  if (!places) return std::unexpected(places.error());
  table.handed = table.acknowledged = ReadCursor{std::move(*key), std::move(places->front())};
  return {};
}

// A table that was there when the read began may be gone since. It is told once.
binlog::Result<void> ReadTables::FindUnfinished(const InitialRead& read,
                                                const std::vector<ReadTable>& found) {
  for (const TableReadState& state : read.tables) {
    const bool is_there = std::ranges::any_of(found, [&state](const ReadTable& table) {
      return table.schema_name() == state.schema_name && table.table_name() == state.table_name;
    });
    if (state.is_done || is_there) continue;
    if (auto raised = OnGone(state.schema_name, state.table_name); !raised) return raised;
    parts_.tracker.ForgetRead(state.schema_name, state.table_name);
  }
  return {};
}

// Of the tables that are read some may have been altered or be gone. What is new since the read
// began has all its rows in the stream.
binlog::Result<ReadTables::Described> ReadTables::CompareWith(std::vector<ReadTable> found) {
  // First, as it may fail: a table that is altered is met only once.
  if (auto told = FindGone(found); !told) return std::unexpected(told.error());
  Described described = Described::kAlike;
  for (ReadTable& table : tables_) {
    if (table.is_acknowledged || table.is_gone) continue;
    ReadTable* const now = FindTable(found, table);
    if (now == nullptr || IsReadAlike(table, *now)) continue;
    spdlog::warn("table {}.{} was altered: its initial read begins again", table.schema_name(),
                 table.table_name());
    parts_.tracker.ReadAnew(table.schema_name(), table.table_name());
    table = std::move(*now);
    described = Described::kAltered;
  }
  return described;
}

binlog::Result<void> ReadTables::FindGone(std::vector<ReadTable>& found) {
  for (ReadTable& table : tables_) {
    if (table.is_acknowledged || table.is_gone || FindTable(found, table) != nullptr) continue;
    if (!loss_was_told_) {
      if (auto raised = OnGone(table.schema_name(), table.table_name()); !raised) return raised;
    }
    table.is_gone = true;  // What the log still holds of its rows is given back.
  }
  return {};
}

binlog::Result<void> ReadTables::OnGone(const std::string& schema_name,
                                        const std::string& table_name) {
  auto raised = parts_.alarms.OnTableGone(schema_name, table_name);
  if (!raised) return std::unexpected(raised.error().As(binlog::ErrorKind::kSpill));
  return {};
}

Result<void> ReadTables::OnDdl(const binlog::Transaction& transaction) {
  switch (transaction.ddl_effect) {
    case binlog::DdlEffect::kNone:
      return {};
    case binlog::DdlEffect::kAlters:
      must_be_described_ = true;
      return {};
    case binlog::DdlEffect::kLosesRows:
      break;
  }
  must_be_described_ = true;
  // Of a long statement, and of DROP DATABASE, the names are not kept.
  const bool is_whole =
      !transaction.ddl.empty() && transaction.ddl.size() < binlog::kStatementBytesMax;
  const bool concerns = std::ranges::any_of(tables_, [&](const ReadTable& table) {
    if (table.is_acknowledged) return false;
    return !is_whole || binlog::DropsSchema(transaction.ddl) ||
           binlog::ContainsInAnyCase(transaction.ddl, table.table_name());
  });
  if (!concerns) return {};
  loss_was_told_ = true;
  return parts_.alarms.OnDdl(transaction);
}

std::optional<std::size_t> ReadTables::WithoutBound() const {
  return FirstThat(tables_,
                   [](const ReadTable& table) { return !table.has_bound && !table.is_handed; });
}

binlog::Result<void> ReadTables::FindBound(std::size_t index, bool waits_for_commits) {
  ReadTable& table = tables_[index];
  if (table.has_key() && !table.is_gone) {
    parts_.liveness.ExpectAnswerWithin(statement_timeout_);
    auto highest = parts_.source.HighestKey(table.description, waits_for_commits);
    if (!highest) return std::unexpected(highest.error());
    table.bound = std::move(*highest);
  }
  table.has_bound = true;
  return {};
}

void ReadTables::ForgetBounds() {
  for (ReadTable& table : tables_) table.has_bound = false;
}

bool ReadTables::has_begun() const {
  return std::ranges::any_of(
      tables_, [](const ReadTable& table) { return table.handed.has_value() || table.is_handed; });
}

std::optional<std::size_t> ReadTables::Next() const {
  return FirstThat(tables_, [](const ReadTable& table) { return !table.is_handed; });
}

void ReadTables::HandOver(std::size_t index, std::uint64_t rows, std::optional<ReadCursor> end) {
  ReadTable& table = tables_[index];
  table.rows_handed += rows;
  table.is_handed = !end;
  if (end) table.handed = std::move(end);
  HandedChunk handed{.number = ++chunk_number_,
                     .table = index,
                     .cursor = table.handed,
                     .is_last = table.is_handed,
                     .rows = table.rows_handed};
  parts_.tracker.FinishChunk(
      handed.number, StateOf(table, handed.cursor ? &*handed.cursor : nullptr, handed.is_last));
  handed_.push_back(std::move(handed));
}

void ReadTables::TakeAcknowledged() {
  const std::uint64_t acknowledged = parts_.tracker.acknowledged_chunk();
  while (!handed_.empty() && handed_.front().number <= acknowledged) {
    HandedChunk& chunk = handed_.front();
    ReadTable& table = tables_[chunk.table];
    table.acknowledged = std::move(chunk.cursor);
    table.is_acknowledged = chunk.is_last;
    table.rows_acknowledged = chunk.rows;
    // That the ledger fails here the reader sees to.
    if (chunk.is_last) {
      (void)parts_.ledger.ForgetTable(chunk.table);
      spdlog::info("read {} rows of {}.{}", chunk.rows, table.schema_name(), table.table_name());
    } else {
      (void)parts_.ledger.ForgetUpTo(chunk.table, table.acknowledged->place);
    }
    handed_.pop_front();
  }
}

void ReadTables::StartOver() {
  handed_.clear();
  for (ReadTable& table : tables_) {
    table.handed = table.acknowledged;
    table.is_handed = table.is_acknowledged;
    table.rows_handed = table.rows_acknowledged;
  }
}

void ReadTables::Finish() {
  parts_.tracker.Begin();
  parts_.tracker.FinishRead(++chunk_number_);
}

}  // namespace outboxd
