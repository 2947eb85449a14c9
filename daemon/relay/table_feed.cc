#include "daemon/relay/table_feed.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "binlog/any_case.h"
#include "binlog/hint.h"
#include "daemon/exit_code_of.h"
#include "daemon/relay/change_watch.h"
#include "daemon/text/escaped.h"

namespace outboxd {
namespace {

using binlog::ChunkRow;
using Fed = binlog::TransactionReader::Outcome;
using std::chrono::milliseconds;

constexpr milliseconds kAcknowledgementCheck{5};
constexpr milliseconds kPreparedXaCheck{500};
// A binlog event so large is given back by opening the log anew, as StreamFeed does.
constexpr std::size_t kLargeEventBytes = std::size_t{16} << 20;
constexpr const char* kAlarmKind = "initial read";
// So much of an alarm about many rows are their keys.
constexpr std::size_t kNamedKeysBytesMax = 1000;

std::vector<binlog::ColumnValue> ViewsOf(const std::vector<std::optional<std::string>>& values) {
  std::vector<binlog::ColumnValue> views;
  views.reserve(values.size());
  for (const auto& value : values) {
    views.push_back(value ? binlog::ColumnValue(*value) : std::nullopt);
  }
  return views;
}

// "binlog" of "binlog.000007".
std::string_view LogNameOf(std::string_view file) { return file.substr(0, file.rfind('.')); }

ReadTable* FindTable(std::vector<ReadTable>& tables, const ReadTable& wanted) {
  const auto found = std::ranges::find_if(tables, [&wanted](const ReadTable& table) {
    return table.schema_name() == wanted.schema_name() && table.table_name() == wanted.table_name();
  });
  return found == tables.end() ? nullptr : &*found;
}

std::string Joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + Escaped(name);
  return text;
}

}  // namespace

TableFeed::TableFeed(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      ledger_(parts_.ledger),
      changes_(read_tables_, ledger_),
      chunk_rows_(options_.chunk_rows_first) {}

Result<Feed::Advanced> TableFeed::Advance() {
  auto advanced = AdvanceOnce();
  if (advanced || advanced.error().exit_code != ExitCode::kState) return advanced;
  // An alarm about the log, or a table that is gone: it is met again.
  CloseSource();
  BeginAnew();
  must_describe_ = true;
  return Advanced{.step = parts_.retry.OnUnrecorded(advanced.error())};
}

Result<Feed::Advanced> TableFeed::AdvanceOnce() {
  TakeAcknowledged();
  if (ledger_.has_failed()) {
    return ReadLogAnew(
        {binlog::ErrorKind::kSpill, "what the initial read keeps in the spill directory was lost"});
  }
  if (!log_is_open_) return OpenLog();
  if (!tables_are_open_ || must_describe_) return OpenTables();
  if (waiting_ != Waiting::kNothing) return FollowLog();
  if (!xa_is_settled_) return AskForPreparedXa();
  for (ReadTable& table : read_tables_) {
    if (!table.has_bound && !table.is_handed) return FindBound(table);
  }
  if (!xa_is_confirmed_) return ConfirmPreparedXa();
  const std::size_t table = CurrentTable();
  return table < read_tables_.size() ? ReadChunk(table) : Drain();
}

// The first that is not handed over to its end.
std::size_t TableFeed::CurrentTable() const {
  const auto current = std::ranges::find(read_tables_, false, &ReadTable::is_handed);
  return static_cast<std::size_t>(current - read_tables_.begin());
}

// --- Opening ---

// A server has to hold everything that the read has seen. On another one than before nothing counts
// that is known of the log: there it is read from G1 on.
Result<Feed::Advanced> TableFeed::OpenLog() {
  parts_.liveness.ExpectAnswerWithin(options_.open_timeout);
  const Progress progress = parts_.tracker.progress();
  auto stream = resume_from_ ? parts_.source.Open(*resume_from_, seen_)
                             : parts_.source.Open(progress.position, HistoryOf(progress));
  if (!stream) return OnLogError(stream.error());
  stream_ = std::move(*stream);
  parts_.retry.Opened();
  const bool is_other = !seen_.server_uuid.empty() && stream_.server_uuid != seen_.server_uuid;
  if (is_other) return OnOtherServer();
  seen_.server_uuid = stream_.server_uuid;
  log_is_open_ = is_reopened_ = true;
  if (!stream_.lost.empty()) {
    const FailoverWatch::Servers servers{progress.server_uuid, stream_.server_uuid};
    auto reported =
        parts_.failovers.OnLost(stream_.lost, servers, {}, FailoverWatch::Road::kInitialRead);
    if (!reported) return std::unexpected(reported.error());
    parts_.tracker.TakeOut(stream_.lost);
  }
  parts_.tracker.SetServer(stream_);
  is_at_begin_ = !resume_from_;
  waits_for_commits_ = !parts_.tracker.progress().position.file.empty();
  must_reset_ = true;
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::OnOtherServer() {
  spdlog::info("the initial read goes on at server {}, from its log as of the read's beginning",
               stream_.server_uuid);
  if (resume_from_ && !stream_.lost.empty()) {
    spdlog::warn(
        "server {} lacks transactions that server {} had and the initial read has seen: {};"
        " nothing of them was published",
        stream_.server_uuid, seen_.server_uuid, stream_.lost.ToText());
  }
  parts_.source.Close();
  BeginAnew();
  seen_ = {};
  must_describe_ = true;
  return Advanced{};
}

// All that is known of the log is forgotten; what is handed over stays handed over.
void TableFeed::BeginAnew() {
  (void)ledger_.Clear();
  changes_.Clear();
  has_rows_ = false;
  chunk_.reset();
  waiting_ = Waiting::kNothing;
  resume_from_.reset();
  seen_.last_gtid.reset();
  // What the former server had prepared and which keys it had says nothing of another one.
  xa_is_settled_ = xa_is_confirmed_ = false;
  ForgetBounds();
  if (filter_) transactions_->ForgetPrepared({});
  parts_.tables.Close();
  tables_are_open_ = false;
}

void TableFeed::ForgetBounds() {
  for (ReadTable& table : read_tables_) table.has_bound = false;
}

Result<Feed::Advanced> TableFeed::OpenTables() {
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  if (!tables_are_open_) {
    if (auto opened = parts_.tables.Open(stream_); !opened) return OnTablesError(opened.error());
    tables_are_open_ = true;
  }
  if (!must_describe_) return Advanced{};
  // What is in flight belongs to the tables as they were described before.
  if (!handed_.empty()) return Advanced{.step = {Step::Kind::kPause, kAcknowledgementCheck}};
  if (auto described = DescribeTables(); !described) return OnTablesError(described.error());
  must_describe_ = false;
  return Advanced{};
}

binlog::Result<void> TableFeed::DescribeTables() {
  std::vector<ReadTable> found;
  for (std::uint32_t i = 0; i < parts_.selections.size(); ++i) {
    const binlog::TableSelection& selection = parts_.selections[i];
    // Some statements for each table.
    parts_.liveness.ExpectAnswerWithin(10 * options_.statement_timeout);
    auto described = parts_.tables.Describe(selection.schema_pattern, selection.table_pattern);
    if (!described) return std::unexpected(described.error());
    for (binlog::TableToRead& table : *described) {
      found.push_back(MakeReadTable(std::move(table), i, selection));
    }
  }
  if (filter_ != nullptr) return DescribeAgain(std::move(found));
  const Progress progress = parts_.tracker.progress();
  const InitialRead read = progress.read.value_or(InitialRead{});
  for (ReadTable& table : found) {
    if (auto resumed = ResumeTable(read, table); !resumed) return resumed;
  }
  if (auto all = FindUnfinished(read, found); !all) return all;
  read_tables_ = std::move(found);
  const binlog::Position& begin = progress.position;
  spdlog::info(
      "initial read of {} table{} as of {}", read_tables_.size(),
      read_tables_.size() == 1 ? "" : "s",
      begin.file.empty() ? begin.gtids.ToText() : fmt::format("{}:{}", begin.file, begin.offset));
  PrepareReaders();
  return {};
}

// Of the tables that are read some may have been altered or be gone. What is new since the read
// began has all its rows in the stream.
binlog::Result<void> TableFeed::DescribeAgain(std::vector<ReadTable> found) {
  bool has_changed = false;
  for (ReadTable& table : read_tables_) {
    if (table.is_acknowledged || table.is_gone) continue;
    ReadTable* const now = FindTable(found, table);
    if (now == nullptr) {
      if (!loss_was_told_) {
        if (auto raised = OnGone(table.schema_name(), table.table_name()); !raised) return raised;
      }
      table.is_gone = true;  // What the log still holds of its rows is given back.
    } else if (!IsReadAlike(table, *now)) {
      spdlog::warn("table {}.{} was altered: its initial read begins again", table.schema_name(),
                   table.table_name());
      parts_.tracker.ReadAnew(table.schema_name(), table.table_name());
      table = std::move(*now);
      has_changed = true;
    }
  }
  if (!has_changed) return {};
  CloseSource();
  BeginAnew();
  PrepareReaders();
  return {};
}

// A table that was there when the read began may be gone since. It is told once.
binlog::Result<void> TableFeed::FindUnfinished(const InitialRead& read,
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

binlog::Result<void> TableFeed::OnGone(const std::string& schema_name,
                                       const std::string& table_name) {
  auto raised = RaiseAlarm(
      fmt::format("table:{}.{}", schema_name, table_name),
      fmt::format("table {}.{} is gone, and its initial read was not at its end: rows that were in"
                  " it are lost to the read, but for what the log holds of them",
                  schema_name, table_name),
      0);
  if (!raised) return binlog::Fail(binlog::ErrorKind::kSpill, "{}", raised.error().message);
  return {};
}

// Of the log every change of each table is wanted, and its key.
void TableFeed::PrepareReaders() {
  std::vector<binlog::TableSelection> selections;
  for (const ReadTable& table : read_tables_) {
    selections.push_back(SelectionOfChanges(table, parts_.selections[table.selection]));
  }
  rows_.reset();
  transactions_.reset();
  filter_ = std::make_unique<binlog::TableFilter>(std::move(selections));
  transactions_ = std::make_unique<binlog::TransactionReader>(*filter_, options_.buffer);
  rows_ = std::make_unique<binlog::RowReader>(*filter_, parts_.character_sets, parts_.lookup);
}

// Where a former process, or the checkpoint, left it.
binlog::Result<void> TableFeed::ResumeTable(const InitialRead& read, ReadTable& table) {
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
  auto places = parts_.tables.PlacesOf(table.description.key, {*key});
  if (!places) return std::unexpected(places.error());
  table.handed = table.acknowledged = ReadCursor{std::move(*key), std::move(places->front())};
  return {};
}

// --- Following the log ---

Result<Feed::Advanced> TableFeed::FollowToEnd(Waiting waiting) {
  auto end = parts_.tables.EndOfLog();
  if (!end) return OnTablesError(end.error());
  log_end_ = std::move(*end);
  waiting_ = waiting;
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::FollowLog() {
  if (changes_.is_full()) return EnterChanges();
  if (has_rows_) return TakeRows();
  // Not before: rows in hand of a transaction would be forgotten, which counts as read.
  if (std::exchange(must_reset_, false)) {
    transactions_->Reset(stream_, resume_from_.value_or(parts_.tracker.progress().position));
  }
  if (transactions_->HasReached(log_end_.file, log_end_.offset)) {
    if (!changes_.empty()) return EnterChanges();
    return std::exchange(waiting_, Waiting::kNothing) == Waiting::kPreparedXa ? OnPreparedXa()
                                                                              : BeginUnit();
  }
  parts_.liveness.ExpectAnswerWithin(options_.read_timeout);
  auto event = parts_.source.Next();
  if (!event) return OnLogError(event.error());
  auto outcome = transactions_->Feed(*event);
  if (!outcome) return OnLogError(outcome.error());
  if (*outcome == Fed::kIdle && std::exchange(is_at_begin_, false)) {
    parts_.tracker.ReachPlace(transactions_->reached());
  }
  if (*outcome == Fed::kTransaction) return OnTransaction();
  // A server that was started with another name for its log begins a file that is neither before
  // nor behind the end that was asked for.
  const std::string& file = transactions_->position().file;
  if (!is_reopened_ || file.empty() || LogNameOf(file) == LogNameOf(log_end_.file)) {
    return Advanced{};
  }
  is_reopened_ = false;
  return FollowToEnd(waiting_);
}

Result<Feed::Advanced> TableFeed::OnTransaction() {
  const binlog::Transaction& transaction = transactions_->transaction();
  if (std::exchange(is_at_begin_, false)) {
    parts_.tracker.ReachPlace({transaction.file, transaction.begin_offset});
  }
  if (auto seen = OnDdl(transaction); !seen) return std::unexpected(seen.error());
  parts_.retry.Succeeded();
  if (transaction.xa_is_unknown) OnUnknownDecision(transaction);
  seen_.last_gtid.reset();
  if (transactions_->collects_gtids()) {
    seen_.last_gtid = transaction.gtid;
    seen_.last_commit_us = transaction.commit_us;
  }
  has_rows_ = transaction.has_rows;
  if (has_rows_) rows_->Begin(transactions_->rows());
  return Advanced{};
}

// About an XA transaction that was prepared before G1. If nothing is handed over yet, the tables
// are read with what it did, and the stream need not look at it: the decision counts as a part of
// G1, so that a failover that loses it is noticed. Of any other one the stream raises an alarm.
void TableFeed::OnUnknownDecision(const binlog::Transaction& transaction) {
  const bool has_begun = std::ranges::any_of(read_tables_, [](const ReadTable& table) {
    return table.handed.has_value() || table.is_handed;
  });
  if (has_begun || !xa_may_be_asked_) return;
  if (stream_.by_gtid && transaction.gtid) {
    parts_.tracker.TakeIn(*transaction.gtid);
  } else {
    parts_.tracker.AddPrepared(transaction.xid);
  }
}

// As many as may wait: a transaction can have any number of rows.
Result<Feed::Advanced> TableFeed::TakeRows() {
  while (!changes_.is_full()) {
    auto row = rows_->Next();
    if (!row) return OnRowError(row.error());
    if (*row == nullptr) {
      has_rows_ = false;
      GiveMemoryBack();
      break;
    }
    changes_.Add(**row);
  }
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::OnRowError(const binlog::Error& error) {
  if (IsWaitedOut(error.kind)) return ReadLogAnew(error);  // The transaction counts as read.
  return Fail(ExitCodeOf(error.kind),
              "the initial read cannot go on behind transaction {}: {} HINT: 'outboxd position set"
              " table' begins it anew with the tables as they are then",
              PlaceOf(transactions_->transaction()), binlog::WithoutHint(error.message));
}

// The client library keeps the memory of the largest binlog event for as long as the connection
// lasts.
void TableFeed::GiveMemoryBack() {
  if (transactions_->largest_event() > kLargeEventBytes && transactions_->CanResume()) {
    CloseSource();
  }
}

Result<void> TableFeed::OnDdl(const binlog::Transaction& transaction) {
  switch (transaction.ddl_effect) {
    case binlog::DdlEffect::kNone:
      return {};
    case binlog::DdlEffect::kAlters:
      must_describe_ = true;
      return {};
    case binlog::DdlEffect::kLosesRows:
      break;
  }
  must_describe_ = true;
  // Of a long statement, and of DROP DATABASE, the names are not kept.
  const bool is_whole =
      !transaction.ddl.empty() && transaction.ddl.size() < binlog::kStatementBytesMax;
  const bool concerns = std::ranges::any_of(read_tables_, [&](const ReadTable& table) {
    if (table.is_acknowledged) return false;
    return !is_whole || binlog::DropsSchema(transaction.ddl) ||
           binlog::ContainsInAnyCase(transaction.ddl, table.table_name());
  });
  if (!concerns) return {};
  loss_was_told_ = true;
  return RaiseAlarm(
      PlaceOf(transaction),
      fmt::format(
          "'{}' while the initial read was under way: rows that were in the table when the"
          " read began and that it had not come to are not in the log and are lost to it",
          transaction.ddl.empty() ? "DROP DATABASE" : Escaped(WithoutLiterals(transaction.ddl))),
      transaction.commit_us);
}

Result<Feed::Advanced> TableFeed::EnterChanges() {
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  auto losses = changes_.Enter(parts_.tables);
  if (!losses) {
    // Of a ledger that has failed the next step sees to it.
    return ledger_.has_failed() ? Advanced{} : OnTablesError(losses.error());
  }
  if (auto raised = OnLosses(*losses); !raised) return std::unexpected(raised.error());
  return Advanced{};
}

// One alarm for the rows of a table that are met together. After a restart others can be met
// together: an alarm stands for the same rows only where its position is the same.
Result<void> TableFeed::OnLosses(const std::vector<ReadChanges::Loss>& losses) {
  for (auto begin = losses.begin(); begin != losses.end();) {
    const auto end = std::find_if(begin, losses.end(), [begin](const ReadChanges::Loss& loss) {
      return loss.table != begin->table;
    });
    if (auto raised = OnLosses(std::span(begin, end)); !raised) return raised;
    begin = end;
  }
  return {};
}

// Of one table.
Result<void> TableFeed::OnLosses(std::span<const ReadChanges::Loss> losses) {
  const ReadTable& table = read_tables_[losses.front().table];
  const auto key_of = [&table](const ReadChanges::Loss& loss) {
    return loss.key.empty() ? "?" : PositionKey(table.description.key, loss.key);
  };
  std::string keys = Escaped(key_of(losses.front()));
  std::size_t named = 1;
  for (; named < losses.size() && keys.size() < kNamedKeysBytesMax; ++named) {
    keys += ", " + Escaped(key_of(losses[named]));
  }
  if (named < losses.size()) keys += fmt::format(" and {} more", losses.size() - named);
  const bool is_one = losses.size() == 1;
  const std::string place =
      is_one ? key_of(losses.front())
             : fmt::format("{} to {}, {} rows", key_of(losses.front()), key_of(losses.back()),
                           losses.size());
  EventPosition position;
  return RaiseAlarm(
      std::string(position.TableRow(table.schema_name(), table.table_name(), place)),
      fmt::format("the {} {} of table {}.{} went before the initial read had delivered {}, and the"
                  " log holds a part of {} only (binlog_row_image): {} may be missing",
                  is_one ? "row with key" : "rows with the keys", keys, table.schema_name(),
                  table.table_name(), is_one ? "it" : "them", is_one ? "it" : "them",
                  is_one ? "it" : "they"),
      0);
}

// Nothing is lost by reading the log once more.
Result<Feed::Advanced> TableFeed::ReadLogAnew(const binlog::Error& error) {
  CloseSource();
  BeginAnew();
  return Retry(error);
}

Result<void> TableFeed::RaiseAlarm(const std::string& position, std::string text,
                                   std::uint64_t commit_us) {
  spdlog::error("ALARM: {}", text);
  if (parts_.alarms == nullptr) return {};
  return parts_.alarms->Record(
      {.kind = kAlarmKind, .position = position, .text = std::move(text), .commit_us = commit_us});
}

// --- Between chunks ---

// What was prepared before G1 is neither in the tables nor in the log behind G1. Whatever is
// prepared now and was not seen in the log since G1 was prepared before it.
Result<Feed::Advanced> TableFeed::AskForPreparedXa() {
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  auto names = parts_.tables.PreparedXa();
  if (!names) return OnTablesError(names.error());
  xa_may_be_asked_ = names->has_value();
  if (!xa_may_be_asked_) {
    spdlog::warn(
        "the account may not ask for prepared XA transactions: rows of those that were prepared"
        " before this start and are committed later may be missed HINT: GRANT XA_RECOVER_ADMIN ON"
        " *.* TO the account");
    xa_is_settled_ = xa_is_confirmed_ = true;
    return Advanced{};
  }
  prepared_xa_ = std::move(**names);
  if (prepared_xa_.empty()) {
    xa_is_settled_ = true;
    return Advanced{};
  }
  return FollowToEnd(Waiting::kPreparedXa);
}

Result<Feed::Advanced> TableFeed::OnPreparedXa() {
  std::erase_if(prepared_xa_,
                [this](const std::string& name) { return transactions_->prepared().Has(name); });
  if (prepared_xa_.empty()) {
    xa_is_settled_ = true;
    return Advanced{};
  }
  // Rows that they insert can be behind what was the highest key.
  ForgetBounds();
  xa_is_confirmed_ = false;
  if (!std::exchange(xa_was_told_, true)) {
    spdlog::warn(
        "the initial read waits for {} XA transaction{} prepared before it began ({}): rows that"
        " they insert are published once they are committed, rows that they delete are not HINT: XA"
        " RECOVER lists them; XA COMMIT or XA ROLLBACK each",
        prepared_xa_.size(), prepared_xa_.size() == 1 ? "" : "s", Joined(prepared_xa_));
  }
  return Advanced{.step = {Step::Kind::kPause, kPreparedXaCheck}};
}

// The position can cover a PREPARE that was not listed yet: XA RECOVER is asked once more. Without
// GTIDs locking reads, those for the highest keys, have waited by now for what stood in the log;
// the highest keys are asked for again, as it may be decided meanwhile.
Result<Feed::Advanced> TableFeed::ConfirmPreparedXa() {
  xa_is_confirmed_ = true;
  xa_is_settled_ = false;
  if (waits_for_commits_) ForgetBounds();
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::FindBound(ReadTable& table) {
  if (table.has_key() && !table.is_gone) {
    parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
    auto highest = parts_.tables.HighestKey(table.description, waits_for_commits_);
    if (!highest && highest.error().kind == binlog::ErrorKind::kUnsuitable) {
      return OnTableChanged(highest.error());
    }
    if (!highest) return OnTablesError(highest.error());
    table.bound = std::move(*highest);
  }
  table.has_bound = true;
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::ReadChunk(std::size_t index) {
  ReadTable& table = read_tables_[index];
  chunk_table_ = index;
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  const bool is_empty = table.is_gone || (table.has_key() && !table.bound);
  if (is_empty) {
    chunk_.emplace().is_last = true;
    return FollowToEnd(Waiting::kChunk);
  }
  auto chunk = parts_.tables.Read({.table = table.description,
                                   .columns = table.columns,
                                   .json = table.json,
                                   .after = table.handed ? &table.handed->key : nullptr,
                                   .up_to = table.bound ? &*table.bound : nullptr,
                                   .rows_max = chunk_rows_,
                                   .bytes_max = options_.chunk_bytes_max,
                                   .waits_for_commits = waits_for_commits_});
  if (!chunk && chunk.error().kind == binlog::ErrorKind::kUnsuitable) {
    return OnTableChanged(chunk.error());
  }
  if (!chunk) return OnTablesError(chunk.error());
  if (!chunk->has_value()) {
    if (!table.has_key()) {
      return Fail(ExitCode::kConfiguration,
                  "table {}.{} has no key to read it by in pieces, and is larger than {} MiB HINT:"
                  " ALTER TABLE `{}`.`{}` ADD COLUMN outboxd_key BIGINT UNSIGNED NOT NULL"
                  " AUTO_INCREMENT INVISIBLE PRIMARY KEY, then 'outboxd position set table'",
                  table.schema_name(), table.table_name(), options_.chunk_bytes_max >> 20,
                  table.schema_name(), table.table_name());
    }
    chunk_rows_ = std::max<std::size_t>(chunk_rows_ / 4, 1);
    return Advanced{};
  }
  retry_after_change_ = false;
  chunk_ = std::move(*chunk);
  if (!table.has_key()) {
    for (ChunkRow& row : chunk_->rows) {
      const auto values = ViewsOf(row.values);
      row.place = PlaceOfValues(values, table.kinds);
    }
    std::ranges::sort(chunk_->rows, {}, &ChunkRow::place);
    chunk_->is_last = true;
  } else {
    AdaptRows();
  }
  return FollowToEnd(Waiting::kChunk);
}

// About half of what a chunk may take, at most twice as many rows as before.
void TableFeed::AdaptRows() {
  if (chunk_->rows.empty()) return;
  const std::size_t row_bytes = chunk_->bytes / chunk_->rows.size() + 1;
  const std::size_t fitting = options_.chunk_bytes_max / 2 / row_bytes;
  chunk_rows_ =
      std::clamp<std::size_t>(std::min(fitting, 2 * chunk_rows_), 1, options_.chunk_rows_max);
}

// The table is not as it was described. Once more as it is now; if that does not help, it is not
// to be read.
Result<Feed::Advanced> TableFeed::OnTableChanged(const binlog::Error& error) {
  if (std::exchange(retry_after_change_, true)) return OnTablesError(error);
  must_describe_ = true;
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::BeginUnit() {
  ReadTable& table = read_tables_[chunk_table_];
  const std::optional<binlog::KeyPlace> after =
      table.handed ? std::optional(table.handed->place) : std::nullopt;
  const std::optional<binlog::KeyPlace> up_to =
      chunk_->is_last ? std::nullopt : std::optional(chunk_->rows.back().place);
  next_row_ = 0;
  rows_in_unit_ = 0;
  auto begun = ledger_.BeginImages(chunk_table_, after, up_to);
  if (begun) begun = LookAtNextImage();
  if (!begun) return Advanced{};  // Of the ledger, which the next step sees to.
  parts_.tracker.Begin();
  return Advanced{.outcome = Outcome::kUnit};
}

binlog::Result<void> TableFeed::LookAtNextImage() {
  auto image = ledger_.NextImage();
  if (!image) return std::unexpected(image.error());
  has_image_ = image->has_value();
  if (!has_image_) return {};
  image_place_ = (*image)->place;
  image_bytes_ = (*image)->bytes;
  return {};
}

// --- The rows of a unit ---

binlog::Result<const binlog::Row*> TableFeed::NextRow() {
  while (true) {
    const bool has_row = next_row_ < chunk_->rows.size();
    if (!has_row && !has_image_) return nullptr;
    if (has_image_ && (!has_row || image_place_ <= chunk_->rows[next_row_].place)) {
      return TakeImage();
    }
    const ChunkRow& row = chunk_->rows[next_row_++];
    auto left_out = ledger_.LeavesOut(chunk_table_, row.place);
    if (!left_out) return std::unexpected(left_out.error());
    if (*left_out) continue;
    row_values_ = ViewsOf(row.values);
    return MakeRow(row.key, row.place);
  }
}

// That the ledger has failed the next step sees to.
Result<Step> TableFeed::OnUnitError(const binlog::Error& error) {
  if (error.kind != binlog::ErrorKind::kSpill) {
    return Fail(ExitCodeOf(error.kind), "{}", error.message);
  }
  spdlog::error("{}; reading it again", error.message);
  return Step{};
}

binlog::Result<const binlog::Row*> TableFeed::TakeImage() {
  std::swap(given_bytes_, image_bytes_);
  const std::string place = image_place_;
  image_.Decode(given_bytes_);
  if (auto next = LookAtNextImage(); !next) return std::unexpected(next.error());
  row_values_.assign(image_.values().begin(), image_.values().end());
  return MakeRow(image_.key(), place);
}

const binlog::Row* TableFeed::MakeRow(std::span<const std::string> key,
                                      const binlog::KeyPlace& place) {
  const ReadTable& table = read_tables_[chunk_table_];
  row_ = {.table = table.selection,
          .schema_name = table.schema_name(),
          .table_name = table.table_name(),
          .values = row_values_,
          .columns = table.columns,
          .kinds = table.kinds};
  row_position_ = event_position_.TableRow(
      table.schema_name(), table.table_name(),
      table.has_key() ? PositionKey(table.description.key, key) : PositionKey(place));
  ++rows_in_unit_;
  return &row_;
}

void TableFeed::EndUnit() {
  ReadTable& table = read_tables_[chunk_table_];
  table.rows_handed += rows_in_unit_;
  table.is_handed = chunk_->is_last;
  if (!chunk_->is_last) {
    table.handed = ReadCursor{chunk_->rows.back().key, chunk_->rows.back().place};
  }
  HandedChunk handed{.number = ++chunk_number_,
                     .table = chunk_table_,
                     .cursor = table.handed,
                     .is_last = chunk_->is_last,
                     .rows = table.rows_handed};
  parts_.tracker.FinishChunk(
      handed.number, StateOf(table, handed.cursor ? &*handed.cursor : nullptr, handed.is_last));
  handed_.push_back(std::move(handed));
  chunk_.reset();
  ledger_.EndImages();
}

void TableFeed::TakeAcknowledged() {
  const std::uint64_t acknowledged = parts_.tracker.acknowledged_chunk();
  while (!handed_.empty() && handed_.front().number <= acknowledged) {
    HandedChunk& chunk = handed_.front();
    ReadTable& table = read_tables_[chunk.table];
    table.acknowledged = std::move(chunk.cursor);
    table.is_acknowledged = chunk.is_last;
    table.rows_acknowledged = chunk.rows;
    // What fails here Advance() sees to.
    if (chunk.is_last) {
      (void)ledger_.ForgetTable(chunk.table);
      spdlog::info("read {} rows of {}.{}", chunk.rows, table.schema_name(), table.table_name());
    } else {
      (void)ledger_.ForgetUpTo(chunk.table, table.acknowledged->place);
    }
    handed_.pop_front();
  }
}

// Everything is handed over: the stream may begin when it is acknowledged.
Result<Feed::Advanced> TableFeed::Drain() {
  if (!handed_.empty()) return Advanced{.step = {Step::Kind::kPause, kAcknowledgementCheck}};
  CloseSource();
  parts_.tables.Close();
  tables_are_open_ = false;
  (void)ledger_.Clear();
  parts_.tracker.Begin();
  parts_.tracker.FinishRead(++chunk_number_);
  return Advanced{.outcome = Outcome::kComplete};
}

// --- Faults ---

void TableFeed::StartOver(const Progress&) {
  TakeAcknowledged();
  handed_.clear();
  chunk_.reset();
  ledger_.EndImages();
  if (waiting_ == Waiting::kChunk) waiting_ = Waiting::kNothing;
  // What is acknowledged as a whole is sent again as a whole: where messages are refused, little.
  chunk_rows_ = std::min(chunk_rows_, options_.chunk_rows_first);
  for (ReadTable& table : read_tables_) {
    table.handed = table.acknowledged;
    table.is_handed = table.is_acknowledged;
    table.rows_handed = table.rows_acknowledged;
  }
}

void TableFeed::CloseSource() {
  if (log_is_open_ && transactions_ && !must_reset_) {
    resume_from_ = transactions_->ResumePosition();
  }
  parts_.source.Close();
  log_is_open_ = false;
}

Result<Feed::Advanced> TableFeed::Retry(const binlog::Error& error, const std::string& place) {
  auto step = parts_.retry.OnError(error, place);
  if (!step) return std::unexpected(step.error());
  return Advanced{.step = *step};
}

Result<Feed::Advanced> TableFeed::OnLogError(const binlog::Error& error) {
  CloseSource();
  return Retry(error, transactions_ ? transactions_->Place() : std::string());
}

// What was read with the connection and not followed by the log's end does not count.
Result<Feed::Advanced> TableFeed::OnTablesError(const binlog::Error& error) {
  parts_.tables.Close();
  tables_are_open_ = false;
  if (waiting_ == Waiting::kNothing) chunk_.reset();
  // The next try may find another server, and its log goes with it.
  if (binlog::MayPass(error.kind)) CloseSource();
  return Retry(error);
}

}  // namespace outboxd
