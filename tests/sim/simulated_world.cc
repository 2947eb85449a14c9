#include "tests/sim/simulated_world.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace outboxd::sim {
namespace {

constexpr const char* kUuid = "11111111-1111-1111-1111-111111111111";
constexpr const char* kReplicaUuid = "22222222-2222-2222-2222-222222222222";
constexpr std::size_t kKeysMax = 40;
constexpr std::size_t kTransactionsBeforeRead = 10;

}  // namespace

SimulatedWorld::SimulatedWorld(const Scenario& scenario, Faults& faults, const Clock& clock)
    : scenario_(scenario), faults_(faults), clock_(clock), random_(faults.random()) {
  const bool by_gtid = scenario_.reads_by_gtid && (!scenario_.reads_by_file || random_.OneIn(2));
  const bool switches = !by_gtid && scenario_.switches_to_gtid && random_.OneIn(2);
  const bool logs_gtids = by_gtid || switches || random_.OneIn(2);
  source_.gtid_mode_is_on = by_gtid;
  source_.must_ask_by_gtid = by_gtid;
  source_.hides_prepared_xa = scenario_.hides_prepared_xa;
  source_.server = std::make_unique<SimulatedServer>(
      kUuid,
      SimulatedServer::Settings{.logs_gtids = logs_gtids,
                                .has_checksums = !random_.OneIn(4),
                                .commits_in_stages = scenario_.has_keys()},
      history_);
  if (scenario_.has_keys()) keys_ = 4 + random_.Below(kKeysMax - 3);
}

std::size_t SimulatedWorld::AddEvent(std::size_t transaction, Event::State state) {
  const std::size_t index = history_.events.size();
  history_.events.push_back(
      {.transaction = transaction, .key = random_.Below(4), .state = Event::State::kPrepared});
  Event& event = history_.events.back();
  if (scenario_.has_bad_events && state != Event::State::kRolledBack && random_.OneIn(8)) {
    constexpr Event::Fault kFaults[] = {Event::Fault::kHasNoTopic, Event::Fault::kRefusedAtOnce,
                                        Event::Fault::kRefusedByBroker};
    event.fault = kFaults[random_.Below(std::size(kFaults))];
    if (scenario_.has_dead_letters && random_.OneIn(3)) {
      event.dead_fault = kFaults[1 + random_.Below(std::size(kFaults) - 1)];
    }
  }
  if (state != Event::State::kPrepared) Decide(index, state);
  return index;
}

void SimulatedWorld::Decide(std::size_t index, Event::State state) {
  Event& event = history_.events[index];
  event.state = state;
  if (state != Event::State::kCommitted) return;
  event.was_committed = true;
  event.order = history_.next_order++;
  event.committed_us = clock_.WallMicroseconds();
}

void SimulatedWorld::Commit() {
  if (!source_.lagging.empty()) {
    if (random_.OneIn(4)) Replicate();
    return;
  }
  if (history_.transactions.size() >= scenario_.transactions_max) return;
  if (random_.OneIn(6)) {
    faults_.Note("server: next file");
    source_.server->Rotate();
  }
  std::vector<Kind> kinds = {Kind::kInsert,  Kind::kInsert, Kind::kInsert,   Kind::kInsert,
                             Kind::kForeign, Kind::kDdl,    Kind::kRollback, Kind::kUpdate};
  if (scenario_.has_keys()) kinds.back() = Kind::kInsert;
  if (scenario_.has_statements) kinds.push_back(Kind::kStatement);
  if (scenario_.has_torn_files) kinds.push_back(Kind::kTorn);
  if (scenario_.has_xa) kinds.insert(kinds.end(), 4, Kind::kXaPrepare);
  Transaction transaction{.kind = kinds[random_.Below(kinds.size())]};
  const std::size_t index = history_.transactions.size();
  if (transaction.kind == Kind::kXaPrepare) {
    transaction.xid = fmt::format("X'6{}',X'',1", 1 + random_.Below(3));
    const bool is_taken = std::ranges::any_of(prepared_, [&](std::size_t prepared) {
      return history_.transactions[prepared].xid == transaction.xid;
    });
    if (is_taken || source_.server->stages().prepared().contains(transaction.xid)) return;
  }
  Event::State state = Event::State::kCommitted;
  if (transaction.kind == Kind::kXaPrepare) state = Event::State::kPrepared;
  if (transaction.kind == Kind::kRollback || transaction.kind == Kind::kTorn) {
    state = Event::State::kRolledBack;
  }
  const bool has_rows = transaction.kind == Kind::kInsert || state != Event::State::kCommitted;
  if (has_rows && scenario_.has_keys()) {
    AddRowChanges(transaction, state);
  } else if (has_rows) {
    const std::size_t rows = random_.OneIn(6) ? 0 : 1 + random_.Below(4);
    for (std::size_t i = 0; i < rows; ++i) transaction.events.push_back(AddEvent(index, state));
    if (random_.OneIn(6)) {
      transaction.undone.push_back(AddEvent(index, Event::State::kRolledBack));
    }
  }
  if (transaction.kind == Kind::kStatement) ++statements_;
  if (transaction.kind == Kind::kDdl && scenario_.has_table_ddl) transaction.ddl = DrawDdl();
  transaction.shares_rows_event = random_.OneIn(2);
  transaction.has_partial_images = scenario_.has_partial_images && random_.OneIn(3);
  transaction.is_compressed = scenario_.is_compressed && random_.OneIn(3) &&
                              transaction.kind != Kind::kDdl && transaction.kind != Kind::kTorn;
  if (scenario_.has_large_events && random_.OneIn(5)) transaction.padding_bytes = kLargeEventBytes;
  Commit(std::move(transaction));
}

void SimulatedWorld::Commit(Transaction transaction) {
  const std::size_t index = history_.transactions.size();
  const bool is_torn = transaction.kind == Kind::kTorn;
  transaction.commit_us = clock_.WallMicroseconds();
  if (source_.server->logs_gtids()) {
    const bool is_foreign = random_.OneIn(8);
    std::uint64_t& next = is_foreign ? next_foreign_number_ : next_number_;
    const std::string& uuid = is_foreign ? kForeignServerUuid : source_.server->uuid();
    transaction.gtid = {{binlog::ParseUuid(uuid).value(), ""}, next};
    // The number of one that was torn is given out again.
    if (!is_torn) ++next;
  }
  if (transaction.kind == Kind::kXaPrepare) prepared_.push_back(index);
  const auto kind = static_cast<int>(transaction.kind);
  faults_.Note("server: transaction {} of kind {}, {}{}, {} events from {}", index, kind,
               transaction.gtid ? ToText(*transaction.gtid) : "anonymous",
               transaction.xid.empty() ? "" : " " + transaction.xid, transaction.events.size(),
               transaction.events.empty() ? 0 : transaction.events.front());
  history_.transactions.push_back(std::move(transaction));
  source_.server->Log(index);
}

void SimulatedWorld::DecideXa() {
  if (prepared_.empty() || !source_.lagging.empty()) return;
  const std::size_t at = random_.Below(prepared_.size());
  const std::size_t prepare = prepared_[at];
  // Its PREPARE is still on its way.
  if (!source_.server->stages().prepared().contains(history_.transactions[prepare].xid)) return;
  prepared_.erase(prepared_.begin() + static_cast<std::ptrdiff_t>(at));
  const bool commits = !random_.OneIn(3);
  Transaction decision{.kind = commits ? Kind::kXaCommit : Kind::kXaRollback,
                       .events = history_.transactions[prepare].events,
                       .changes = history_.transactions[prepare].changes,
                       .xid = history_.transactions[prepare].xid,
                       .prepare = prepare,
                       .has_partial_images = history_.transactions[prepare].has_partial_images};
  for (const std::size_t event : decision.events) {
    Decide(event, commits ? Event::State::kCommitted : Event::State::kRolledBack);
  }
  history_.transactions[prepare].decision = history_.transactions.size();
  Commit(std::move(decision));
}

void SimulatedWorld::FillTable() {
  const std::size_t count = random_.Below(kTransactionsBeforeRead + 1);
  for (std::size_t i = 0; i < count; ++i) {
    Commit();
    MoveStages();
    if (random_.OneIn(4)) DecideXa();
  }
}

void SimulatedWorld::AddRowChanges(Transaction& transaction, Event::State state) {
  const std::size_t index = history_.transactions.size();
  const CommitStages& stages = source_.server->stages();
  RowChangeDraw draw(stages.at_end(), stages.LockedKeys(), scenario_.row_changes, keys_, random_);
  transaction.has_added_column = stages.at_end().has_added_column;
  const auto insert = [&](std::vector<std::size_t>& events, Event::State as) {
    events.push_back(AddEvent(index, as));
    return events.back();
  };
  const std::size_t count = random_.OneIn(6) ? 0 : 1 + random_.Below(4);
  const std::size_t undone_at = random_.OneIn(6) ? random_.Below(count + 1) : kNone;
  for (std::size_t i = 0; i <= count; ++i) {
    if (i == undone_at) {
      transaction.undone_at = transaction.changes.size();
      RowChangeDraw(draw).Draw(transaction.undone_changes, [&] {
        return insert(transaction.undone, Event::State::kRolledBack);
      });
    }
    if (i == count) break;
    draw.Draw(transaction.changes, [&] { return insert(transaction.events, state); });
  }
}

// None of the event table while a transaction is prepared that holds some of its rows.
Transaction::Ddl SimulatedWorld::DrawDdl() {
  using Ddl = Transaction::Ddl;
  for (const std::size_t prepared : prepared_) {
    if (!KeysOf(history_.transactions[prepared]).empty()) return Ddl::kForeign;
  }
  constexpr Ddl kDdl[] = {Ddl::kForeign, Ddl::kTruncate, Ddl::kAddColumn};
  const Ddl ddl = kDdl[random_.Below(std::size(kDdl))];
  const bool has_column = source_.server->stages().at_end().has_added_column;
  return ddl == Ddl::kAddColumn && has_column ? Ddl::kForeign : ddl;
}

void SimulatedWorld::MoveStages() {
  CommitStages& stages = source_.server->stages();
  for (std::size_t i = random_.Below(3); i > 0; --i) {
    if (random_.OneIn(2)) stages.CommitNext();
    if (random_.OneIn(2)) stages.ExecuteNext();
  }
}

void SimulatedWorld::GoOn() {
  if (random_.OneIn(2)) return;
  MoveStages();
  const std::size_t turn = random_.Below(8);
  if (turn < 3) Commit();
  if (turn == 3) DecideXa();
}

// A position of now: by GTID what was executed, by file the end of what is flushed.
Progress SimulatedWorld::ReadFromHere() {
  const SimulatedServer& server = *source_.server;
  Progress progress;
  progress.server_uuid = server.uuid();
  progress.read.emplace();
  // A decision that is read without its PREPARE: nobody is told of one that is decided by the time
  // that XA RECOVER is asked.
  for (const Transaction& transaction : history_.transactions) {
    if (transaction.kind != Kind::kXaPrepare) continue;
    const bool is_decided = transaction.decision != kNone;
    const bool is_within =
        is_decided &&
        (!source_.gtid_mode_is_on ||
         server.stages().executed().Contains(*history_.transactions[transaction.decision].gtid));
    excuses_.unknown_decision = excuses_.unknown_decision || !is_within;
  }
  if (source_.gtid_mode_is_on) {
    progress.position.gtids = server.stages().executed();
  } else {
    progress.position = {{}, server.files().back().name, server.files().back().end};
  }
  return progress;
}

// The transaction is not on the server that takes over, and will never be.
void SimulatedWorld::LeaveBehind(std::size_t index) {
  Transaction& transaction = history_.transactions[index];
  transaction.is_lost = true;
  std::erase(prepared_, index);
  if (transaction.prepare == kNone) return;
  Transaction& prepare = history_.transactions[transaction.prepare];
  prepare.decision = kNone;
  // Its decision was read already: one without rows is not read again, one with rows must be.
  excuses_.unknown_decision = excuses_.unknown_decision || prepare.events.empty();
  excuses_.gap = excuses_.gap || !prepare.events.empty();
  if (!prepare.is_lost) prepared_.push_back(transaction.prepare);
  for (const std::size_t event : prepare.events) Decide(event, Event::State::kPrepared);
}

bool SimulatedWorld::FailOver() {
  if (!source_.former_uuid.empty()) return false;
  const SimulatedServer& former = *source_.server;
  auto replica = std::make_unique<SimulatedServer>(
      kReplicaUuid,
      SimulatedServer::Settings{.logs_gtids = former.logs_gtids(),
                                .has_checksums = former.has_checksums(),
                                .commits_in_stages = former.commits_in_stages()},
      history_);
  const std::size_t missing = random_.OneIn(2) ? 0 : random_.Below(4);
  const std::size_t kept = former.order().size() - std::min(missing, former.order().size());
  const bool lags = random_.OneIn(2);
  excuses_.file_of_former = !source_.must_ask_by_gtid;
  excuses_.gap = excuses_.gap || excuses_.file_of_former;
  faults_.Note("server: failover, {} of {} transactions are kept, the others {}", kept,
               former.order().size(), lags ? "come later" : "lost");
  for (std::size_t i = 0; i < former.order().size(); ++i) {
    const std::size_t index = former.order()[i];
    if (i < kept) {
      replica->Log(index);
      if (random_.OneIn(5)) replica->Rotate();
      continue;
    }
    if (lags) {
      source_.lagging.push_back(index);
      continue;
    }
    LeaveBehind(index);
  }
  replica->stages().ExecuteAll();
  source_.former_uuid = former.uuid();
  source_.server = std::move(replica);
  next_number_ = 1;
  return true;
}

void SimulatedWorld::Replicate() {
  faults_.Note("server: transaction {} arrives", source_.lagging.front());
  source_.server->Log(source_.lagging.front());
  source_.lagging.pop_front();
}

void SimulatedWorld::Settle() {
  source_.server->stages().ExecuteAll();
  if (!prepared_.empty()) DecideXa();
}

}  // namespace outboxd::sim
