#include "tests/sim/simulated_tables.h"

#include <charconv>
#include <cstdint>

#include "base/glob.h"

namespace outboxd::sim {

using binlog::ErrorKind;
using binlog::Result;

namespace {

constexpr std::uint32_t kUtf8mb4 = 255;

binlog::TableToRead Definition(bool has_added_column) {
  const auto text = [](const char* name, bool nullable) {
    return binlog::ColumnFacts{.name = name,
                               .type = "varchar(100)",
                               .nullable = nullable,
                               .character_set = "utf8mb4",
                               .collation = kUtf8mb4,
                               .octet_length = 400};
  };
  binlog::TableToRead table;
  table.facts = {.schema_name = "shop",
                 .table_name = "outbox",
                 .engine = "InnoDB",
                 .engine_is_transactional = true,
                 .columns = {text("id", false), text("aggregatetype", true),
                             text("aggregateid", false), text("payload", false)},
                 .primary_key = {"seq"}};
  table.facts.columns.push_back({.name = "seq", .type = "bigint unsigned"});
  if (has_added_column) {
    table.facts.columns.push_back({.name = "c", .type = "int", .nullable = true});
  }
  table.key = {"PRIMARY", {{.name = "seq", .type = "bigint unsigned", .collation = ""}}};
  return table;
}

std::uint64_t SeqOf(const binlog::KeyValues& key) {
  std::uint64_t seq = 0;
  const bool is_one = key.size() == 1;
  const char* const end = is_one ? key[0].data() + key[0].size() : nullptr;
  if (!is_one || std::from_chars(key[0].data(), end, seq).ptr != end || key[0].empty()) {
    throw Violation{"a key is asked for that no row can have"};
  }
  return seq;
}

binlog::KeyPlace PlaceOf(std::uint64_t seq) {
  binlog::KeyPlace place;
  for (int shift = 56; shift >= 0; shift -= 8) place.push_back(static_cast<char>(seq >> shift));
  return place;
}

// The row's value of a column; none: it has no such column.
std::optional<std::optional<std::string>> ValueOf(std::string_view column, std::uint64_t seq,
                                                  const EventTable::Row& row, const Event& event) {
  using Value = std::optional<std::string>;
  if (column == "id") return Value(IdOf(row.event));
  if (column == "aggregatetype") {
    return event.fault == Event::Fault::kHasNoTopic ? Value() : Value("order");
  }
  if (column == "aggregateid") return Value(KeyOf(event));
  if (column == "payload") return Value(sim::ValueOf(row.event, row.version));
  if (column == "seq") return Value(std::to_string(seq));
  if (column == "c") return Value();
  return std::nullopt;
}

}  // namespace

void SimulatedTables::Idle() {
  if (between_calls_) between_calls_();
}

Result<void> SimulatedTables::Open(const binlog::StreamIdentity& stream) {
  Close();
  faults_.Yield("opening the tables");
  Idle();
  if (faults_.Strike(faults_.rates().table_open)) {
    faults_.Note("tables: Open fails");
    return Fail(ErrorKind::kDisconnected, "injected");
  }
  if (stream.server_uuid != source_.server->uuid()) {
    faults_.Note("tables: Open meets another server");
    return Fail(ErrorKind::kDisconnected, "another server");
  }
  is_open_ = true;
  has_seen_column_ = source_.server->stages().committed().has_added_column;
  server_uuid_ = stream.server_uuid;
  return {};
}

Result<void> SimulatedTables::Begin(const char* call) {
  faults_.Yield(call);
  Idle();
  if (!is_open_) return Fail(ErrorKind::kDisconnected, "not open");
  if (is_interrupted_) {
    is_interrupted_ = false;
    return Fail(ErrorKind::kInterrupted, "interrupted");
  }
  const bool is_cut = faults_.Strike(faults_.rates().table_disconnect);
  if (is_cut || server_uuid_ != source_.server->uuid()) {
    faults_.Note("tables: disconnected in {}", call);
    Close();
    return Fail(ErrorKind::kDisconnected, "injected");
  }
  return {};
}

// A column more does not matter to who names those it wants, but the first statement behind it
// fails (ER_TABLE_DEF_CHANGED).
Result<void> SimulatedTables::CheckTable(const binlog::TableToRead& table) {
  const bool has_column = source_.server->stages().committed().has_added_column;
  const bool is_the_same = table.facts.table_name == "outbox" &&
                           table.key == Definition(has_column).key &&
                           has_seen_column_ == has_column;
  has_seen_column_ = has_column;
  if (is_the_same) return {};
  faults_.Note("tables: the table is not as it was");
  return Fail(ErrorKind::kUnsuitable, "the table was altered");
}

const EventTable& SimulatedTables::Select(bool waits_for_commits) {
  CommitStages& stages = source_.server->stages();
  if (waits_for_commits) stages.CommitAll();
  return stages.committed();
}

Result<std::vector<binlog::TableToRead>> SimulatedTables::Describe(std::string_view schema_pattern,
                                                                   std::string_view table_pattern) {
  if (auto begun = Begin("describing tables"); !begun) return std::unexpected(begun.error());
  std::vector<binlog::TableToRead> tables;
  if (FitsPattern("shop", schema_pattern) && FitsPattern("outbox", table_pattern)) {
    tables.push_back(Definition(source_.server->stages().committed().has_added_column));
  }
  Idle();
  return tables;
}

Result<std::optional<std::set<std::string>>> SimulatedTables::PreparedXa() {
  if (auto begun = Begin("asking for XA"); !begun) return std::unexpected(begun.error());
  if (source_.hides_prepared_xa) {
    faults_.Note("tables: XA RECOVER may not be asked");
    return std::nullopt;
  }
  auto prepared = source_.server->stages().prepared();
  faults_.Note("tables: {} XA transactions are prepared", prepared.size());
  Idle();
  return prepared;
}

Result<binlog::LogEnd> SimulatedTables::EndOfLog() {
  if (auto begun = Begin("asking for the log's end"); !begun) return std::unexpected(begun.error());
  const SimulatedServer::File& file = source_.server->files().back();
  binlog::LogEnd end{file.name, file.end};
  faults_.Note("tables: the log ends at {}:{}", end.file, end.offset);
  Idle();
  return end;
}

Result<std::optional<binlog::KeyValues>> SimulatedTables::HighestKey(
    const binlog::TableToRead& table, bool waits_for_commits) {
  if (auto begun = Begin("asking for the last key"); !begun) return std::unexpected(begun.error());
  if (auto checked = CheckTable(table); !checked) return std::unexpected(checked.error());
  const auto& rows = Select(waits_for_commits).rows;
  std::optional<binlog::KeyValues> key;
  if (!rows.empty()) key = binlog::KeyValues{std::to_string(rows.rbegin()->first)};
  faults_.Note("tables: the last key is {}", key ? key->front() : "none");
  Idle();
  return key;
}

Result<std::vector<binlog::KeyPlace>> SimulatedTables::PlacesOf(
    const binlog::TableKey&, const std::vector<binlog::KeyValues>& keys) {
  faults_.Yield("comparing keys");
  std::vector<binlog::KeyPlace> places;
  for (const binlog::KeyValues& key : keys) places.push_back(PlaceOf(SeqOf(key)));
  return places;
}

Result<std::optional<binlog::Chunk>> SimulatedTables::Read(const binlog::ChunkRequest& request) {
  if (auto begun = Begin("reading a chunk"); !begun) return std::unexpected(begun.error());
  if (auto checked = CheckTable(request.table); !checked) return std::unexpected(checked.error());
  const auto& rows = Select(request.waits_for_commits).rows;
  auto at = request.after == nullptr ? rows.begin() : rows.upper_bound(SeqOf(*request.after));
  const auto end = request.up_to == nullptr ? rows.end() : rows.upper_bound(SeqOf(*request.up_to));
  binlog::Chunk chunk;
  // `up_to` may lie in front of `after`.
  const bool has_rows = at != rows.end() && (end == rows.end() || at->first < end->first);
  if (!has_rows) at = end;
  for (; at != end && chunk.rows.size() < request.rows_max; ++at) {
    const auto& [seq, row] = *at;
    binlog::ChunkRow& read = chunk.rows.emplace_back();
    read.key = {std::to_string(seq)};
    read.place = PlaceOf(seq);
    for (const std::string& column : request.columns) {
      auto value = ValueOf(column, seq, row, history_.events[row.event]);
      if (!value) return Fail(ErrorKind::kUnsuitable, "no column {}", column);
      chunk.bytes += value->value_or("").size();
      read.values.push_back(*std::move(value));
    }
  }
  if (chunk.bytes > request.bytes_max && chunk.rows.size() > 1) {
    faults_.Note("tables: a chunk of {} rows is too large", chunk.rows.size());
    return std::nullopt;
  }
  // Where the limit was reached, it may not know.
  const bool is_full = chunk.rows.size() == request.rows_max;
  chunk.is_last = at == end && (!is_full || faults_.random().OneIn(2));
  faults_.Note("tables: {} rows behind {} up to {}{}", chunk.rows.size(),
               request.after == nullptr ? "the start" : request.after->front(),
               chunk.rows.empty() ? "none" : chunk.rows.back().key.front(),
               chunk.is_last ? ", the last" : "");
  Idle();
  return chunk;
}

}  // namespace outboxd::sim
