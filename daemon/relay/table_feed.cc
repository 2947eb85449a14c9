#include "daemon/relay/table_feed.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/exit_code_of.h"
#include "daemon/relay/change_watch.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAcknowledgementCheck{5};
constexpr milliseconds kPreparedXaCheck{500};

}  // namespace

TableFeed::TableFeed(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      dump_({parts_.source, parts_.tracker, parts_.character_sets}, parts_.lookup, options_.buffer),
      alarms_(parts_.alarms),
      ledger_(parts_.ledger),
      read_tables_({parts_.selections, parts_.tables, parts_.ledger, parts_.tracker, alarms_,
                    parts_.liveness},
                   options_.statement_timeout),
      changes_(read_tables_.all(), ledger_),
      chunk_(read_tables_.all(), ledger_),
      next_chunk_rows_(options_.chunk_rows_first) {}

Result<Feed::Advanced> TableFeed::Advance() {
  auto advanced = AdvanceOnce();
  if (advanced || advanced.error().kind != ExitCode::kState) return advanced;
  // An alarm about the log, or a table that is gone: it is met again.
  BeginAnew();
  read_tables_.MustBeDescribed();
  return Advanced{.step = parts_.retry.OnUnrecorded(advanced.error())};
}

Result<Feed::Advanced> TableFeed::AdvanceOnce() {
  read_tables_.TakeAcknowledged();
  if (ledger_.has_failed()) {
    return ReadLogAnew(
        {binlog::ErrorKind::kSpill, "what the initial read keeps in the spill directory was lost"});
  }
  if (!dump_.is_open()) return OpenLog();
  if (!tables_are_open_ || read_tables_.must_be_described()) return OpenTables();
  if (waiting_ != Waiting::kNothing) return FollowLog();
  if (prepared_.must_ask()) return AskForPreparedXa();
  if (const auto table = read_tables_.WithoutBound()) return FindBound(*table);
  if (prepared_.must_confirm()) return ConfirmPreparedXa();
  const auto table = read_tables_.Next();
  return table ? ReadChunk(*table) : Drain();
}

// On another server than before nothing counts that is known of the log: there it is read from the
// beginning on.
Result<Feed::Advanced> TableFeed::OpenLog() {
  parts_.liveness.ExpectAnswerWithin(options_.open_timeout);
  auto opened = dump_.Open();
  if (!opened) return OnLogError(opened.error());
  parts_.retry.Opened();
  if (*opened == ReadDump::Opened::kOtherServer) {
    BeginAnew();
    read_tables_.MustBeDescribed();
    return Advanced{};
  }
  const binlog::StreamIdentity& stream = dump_.stream();
  if (!stream.lost.empty()) {
    const std::string former = parts_.tracker.progress().server_uuid;
    const FailoverWatch::Servers servers{former, stream.server_uuid};
    auto reported =
        parts_.failovers.OnLost(stream.lost, servers, {}, FailoverWatch::Road::kInitialRead);
    if (!reported) return std::unexpected(reported.error());
    parts_.tracker.TakeOut(stream.lost);
  }
  parts_.tracker.SetServer(stream);
  waits_for_commits_ = !parts_.tracker.progress().position.file.empty();
  return Advanced{};
}

// All that is known of the log is forgotten; what is handed over stays handed over.
void TableFeed::BeginAnew() {
  dump_.BeginAnew();
  (void)ledger_.Clear();
  changes_.Clear();
  chunk_.End();
  waiting_ = Waiting::kNothing;
  // What the former server had prepared and which keys it had says nothing of another one.
  prepared_.BeginAnew();
  read_tables_.ForgetBounds();
  CloseTables();
}

void TableFeed::CloseTables() {
  parts_.tables.Close();
  tables_are_open_ = false;
}

Result<Feed::Advanced> TableFeed::OpenTables() {
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  if (!tables_are_open_) {
    auto opened = parts_.tables.Open(dump_.stream());
    if (!opened) return OnTablesError(opened.error());
    tables_are_open_ = true;
  }
  if (!read_tables_.must_be_described()) return Advanced{};
  // What is in flight belongs to the tables as they were described before.
  if (read_tables_.has_unacknowledged()) {
    return Advanced{.step = {Step::Kind::kPause, kAcknowledgementCheck}};
  }
  auto described = read_tables_.Describe();
  if (!described) return OnTablesError(described.error());
  if (*described == ReadTables::Described::kAltered) BeginAnew();
  if (*described != ReadTables::Described::kAlike) SelectTables();
  return Advanced{};
}

// Of the log every change of each table is wanted, and its key.
void TableFeed::SelectTables() {
  std::vector<binlog::TableSelection> selections;
  for (const ReadTable& table : read_tables_.all()) {
    selections.push_back(SelectionOfChanges(table, parts_.selections[table.selection]));
  }
  dump_.Select(std::move(selections));
}

Result<Feed::Advanced> TableFeed::FollowToEnd(Waiting waiting) {
  auto end = parts_.tables.EndOfLog();
  if (!end) return OnTablesError(end.error());
  log_end_ = std::move(*end);
  waiting_ = waiting;
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::FollowLog() {
  if (changes_.is_full()) return EnterChanges();
  if (dump_.has_rows()) return TakeRows();
  if (dump_.HasReached(log_end_)) {
    if (!changes_.empty()) return EnterChanges();
    return std::exchange(waiting_, Waiting::kNothing) == Waiting::kPreparedXa ? OnPreparedXa()
                                                                              : BeginUnit();
  }
  parts_.liveness.ExpectAnswerWithin(options_.read_timeout);
  auto has_transaction = dump_.Read();
  if (!has_transaction) return OnLogError(has_transaction.error());
  if (*has_transaction) return OnTransaction();
  return dump_.HasOtherName(log_end_) ? FollowToEnd(waiting_) : Advanced{};
}

Result<Feed::Advanced> TableFeed::OnTransaction() {
  const binlog::Transaction& transaction = dump_.transaction();
  if (auto seen = read_tables_.OnDdl(transaction); !seen) return std::unexpected(seen.error());
  parts_.retry.Succeeded();
  if (transaction.xa_is_unknown) OnUnknownDecision(transaction);
  return Advanced{};
}

// About an XA transaction that was prepared before the beginning. If nothing is handed over yet,
// the tables are read with what it did, and the stream need not look at it: the decision counts as
// a part of the beginning, so that a failover that loses it is noticed. Of any other one the stream
// raises an alarm.
void TableFeed::OnUnknownDecision(const binlog::Transaction& transaction) {
  if (read_tables_.has_begun() || !prepared_.may_ask()) return;
  if (dump_.stream().by_gtid && transaction.gtid) {
    parts_.tracker.TakeIn(*transaction.gtid);
  } else {
    parts_.tracker.AddPrepared(transaction.xid);
  }
}

// As many as may wait: a transaction can have any number of rows.
Result<Feed::Advanced> TableFeed::TakeRows() {
  while (!changes_.is_full()) {
    auto row = dump_.NextRow();
    if (!row) return OnRowError(row.error());
    if (*row == nullptr) break;
    changes_.Add(**row);
  }
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::OnRowError(const binlog::Error& error) {
  if (IsWaitedOut(error.kind)) return ReadLogAnew(error);  // The transaction counts as read.
  return Fail(ExitCodeOf(error.kind), "the initial read cannot go on behind transaction {}: {}",
              PlaceOf(dump_.transaction()), error.message)
      .Hint("'outboxd position set table' begins it anew with the tables as they are then");
}

Result<Feed::Advanced> TableFeed::EnterChanges() {
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  auto losses = changes_.Enter(parts_.tables);
  if (!losses) {
    // Of a ledger that has failed the next step sees to it.
    return ledger_.has_failed() ? Advanced{} : OnTablesError(losses.error());
  }
  auto raised = alarms_.OnLosses(read_tables_.all(), *losses);
  if (!raised) return std::unexpected(raised.error());
  return Advanced{};
}

// Nothing is lost by reading the log once more.
Result<Feed::Advanced> TableFeed::ReadLogAnew(const binlog::Error& error) {
  BeginAnew();
  return Retry(error);
}

Result<Feed::Advanced> TableFeed::AskForPreparedXa() {
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  auto names = parts_.tables.PreparedXa();
  if (!names) return OnTablesError(names.error());
  return prepared_.OnAnswer(std::move(*names)) ? FollowToEnd(Waiting::kPreparedXa) : Advanced{};
}

Result<Feed::Advanced> TableFeed::OnPreparedXa() {
  if (!prepared_.OnLog(dump_.prepared())) return Advanced{};
  read_tables_.ForgetBounds();
  return Advanced{.step = {Step::Kind::kPause, kPreparedXaCheck}};
}

// Without GTIDs locking reads, those for the highest keys, have waited by now for what stood in the
// log; the highest keys are asked for again, as it may be decided meanwhile.
Result<Feed::Advanced> TableFeed::ConfirmPreparedXa() {
  prepared_.OnBounds();
  if (waits_for_commits_) read_tables_.ForgetBounds();
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::FindBound(std::size_t table) {
  auto found = read_tables_.FindBound(table, waits_for_commits_);
  if (!found && found.error().kind == binlog::ErrorKind::kUnsuitable) {
    return OnTableChanged(found.error());
  }
  if (!found) return OnTablesError(found.error());
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::ReadChunk(std::size_t index) {
  const ReadTable& table = read_tables_.all()[index];
  parts_.liveness.ExpectAnswerWithin(options_.statement_timeout);
  const bool is_empty = table.is_gone || (table.has_key() && !table.bound);
  if (is_empty) {
    chunk_.Take(index, {.rows = {}, .is_last = true});
    return FollowToEnd(Waiting::kChunk);
  }
  auto chunk = parts_.tables.Read({.table = table.description,
                                   .columns = table.columns,
                                   .json = table.json,
                                   .after = table.handed ? &table.handed->key : nullptr,
                                   .up_to = table.bound ? &*table.bound : nullptr,
                                   .rows_max = next_chunk_rows_,
                                   .bytes_max = options_.chunk_bytes_max,
                                   .waits_for_commits = waits_for_commits_});
  if (!chunk && chunk.error().kind == binlog::ErrorKind::kUnsuitable) {
    return OnTableChanged(chunk.error());
  }
  if (!chunk) return OnTablesError(chunk.error());
  if (!chunk->has_value()) {
    if (!table.has_key()) {
      return Fail(ExitCode::kConfiguration,
                  "table {}.{} has no key to read it by in pieces, and is larger than {} MiB",
                  table.schema_name(), table.table_name(), options_.chunk_bytes_max >> 20)
          .Hint(
              "ALTER TABLE `{}`.`{}` ADD COLUMN outboxd_key BIGINT UNSIGNED NOT NULL "
              "AUTO_INCREMENT INVISIBLE PRIMARY KEY, then 'outboxd position set table'",
              table.schema_name(), table.table_name());
    }
    next_chunk_rows_ = std::max<std::size_t>(next_chunk_rows_ / 4, 1);
    return Advanced{};
  }
  retry_after_change_ = false;
  if (table.has_key()) AdaptRows(**chunk);
  chunk_.Take(index, std::move(**chunk));
  return FollowToEnd(Waiting::kChunk);
}

// About half of what a chunk may take, at most twice as many rows as before.
void TableFeed::AdaptRows(const binlog::Chunk& chunk) {
  if (chunk.rows.empty()) return;
  const std::size_t row_bytes = chunk.bytes / chunk.rows.size() + 1;
  const std::size_t fitting = options_.chunk_bytes_max / 2 / row_bytes;
  next_chunk_rows_ =
      std::clamp<std::size_t>(std::min(fitting, 2 * next_chunk_rows_), 1, options_.chunk_rows_max);
}

// The table is not as it was described. Once more as it is now; if that does not help, it is not
// to be read.
Result<Feed::Advanced> TableFeed::OnTableChanged(const binlog::Error& error) {
  if (std::exchange(retry_after_change_, true)) return OnTablesError(error);
  read_tables_.MustBeDescribed();
  return Advanced{};
}

Result<Feed::Advanced> TableFeed::BeginUnit() {
  if (!chunk_.Begin()) return Advanced{};  // Of the ledger, which the next step sees to.
  parts_.tracker.Begin();
  return Advanced{.outcome = Outcome::kUnit};
}

binlog::Result<const binlog::Row*> TableFeed::NextRow() { return chunk_.Next(); }

// That the ledger has failed the next step sees to.
Result<Step> TableFeed::OnUnitError(const binlog::Error& error) {
  if (error.kind != binlog::ErrorKind::kSpill) {
    return std::unexpected(AsDaemonError(error));
  }
  spdlog::error("{}", WithHint(error.message + "; reading it again", error.hint));
  return Step{};
}

void TableFeed::EndUnit() {
  read_tables_.HandOver(chunk_.table(), chunk_.rows(), chunk_.end());
  chunk_.End();
}

// Everything is handed over: the stream may begin when it is acknowledged.
Result<Feed::Advanced> TableFeed::Drain() {
  if (read_tables_.has_unacknowledged()) {
    return Advanced{.step = {Step::Kind::kPause, kAcknowledgementCheck}};
  }
  dump_.Close();
  CloseTables();
  (void)ledger_.Clear();
  read_tables_.Finish();
  return Advanced{.outcome = Outcome::kComplete};
}

void TableFeed::StartOver(const Progress&) {
  read_tables_.TakeAcknowledged();
  read_tables_.StartOver();
  chunk_.End();
  if (waiting_ == Waiting::kChunk) waiting_ = Waiting::kNothing;
  // What is acknowledged as a whole is sent again as a whole: where messages are refused, little.
  next_chunk_rows_ = std::min(next_chunk_rows_, options_.chunk_rows_first);
}

Result<Feed::Advanced> TableFeed::Retry(const binlog::Error& error, const std::string& place) {
  auto step = parts_.retry.OnError(error, place);
  if (!step) return std::unexpected(step.error());
  return Advanced{.step = *step};
}

Result<Feed::Advanced> TableFeed::OnLogError(const binlog::Error& error) {
  dump_.Close();
  return Retry(error, dump_.Place());
}

// What was read with the connection and not followed by the log's end does not count.
Result<Feed::Advanced> TableFeed::OnTablesError(const binlog::Error& error) {
  CloseTables();
  if (waiting_ == Waiting::kNothing) chunk_.End();
  // The next try may find another server, and its log goes with it.
  if (binlog::MayPass(error.kind)) dump_.Close();
  return Retry(error);
}

}  // namespace outboxd
