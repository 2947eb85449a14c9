#include "tests/sim/simulation.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "daemon/checkpoint/checkpoint_format.h"

namespace outboxd::sim {
namespace {

using std::chrono::milliseconds;

constexpr int kActionsMin = 60;
constexpr int kActionsMore = 240;
constexpr int kStepsToHealMax = 20'000;
constexpr int kStepsToStopMax = 200;
constexpr const char* kLostFile = "lost.jsonl";

// Each seed has some of the faults, so that some histories run far and others are torn at once.
FaultRates SomeOf(const FaultRates& rates, SeededRandom& random) {
  const auto some = [&random](unsigned rate) { return random.OneIn(3) ? 0 : rate; };
  return {.crash = some(rates.crash),
          .disconnect = some(rates.disconnect),
          .corrupt = some(rates.corrupt),
          .source_open = some(rates.source_open),
          .sink_open = some(rates.sink_open),
          .lost_producer = some(rates.lost_producer),
          .unreachable_topic = some(rates.unreachable_topic),
          .disk_call = some(rates.disk_call),
          .short_write = some(rates.short_write),
          .table_open = rates.table_open == 0 ? 0 : some(rates.table_open),
          .table_disconnect = rates.table_disconnect == 0 ? 0 : some(rates.table_disconnect),
          .ledger = rates.ledger == 0 ? 0 : some(rates.ledger)};
}

// Those of rows that an alarm says may be missing: "the rows with the keys 4, 7 of table ...".
std::set<std::uint64_t> KeysIn(std::string_view alarm) {
  std::set<std::uint64_t> keys;
  if (!alarm.starts_with("the row")) return keys;
  alarm = alarm.substr(0, alarm.find(" of table "));
  constexpr const char* kDigits = "0123456789";
  std::size_t at = alarm.find_first_of(kDigits);
  while (at != alarm.npos) {
    std::uint64_t key = 0;
    const char* const begin = alarm.data() + at;
    const char* const end = std::from_chars(begin, alarm.data() + alarm.size(), key).ptr;
    keys.insert(key);
    at = alarm.find_first_of(kDigits, at + static_cast<std::size_t>(end - begin));
  }
  return keys;
}

void Remove(FileSystem& files, const std::string& directory, const char* name) {
  files.Unlink((directory + "/" + name).c_str());
}

}  // namespace

Simulation::Simulation(const Scenario& scenario, std::uint64_t seed, bool keeps_trace,
                       const std::string& scratch, MakeInterposer make_interposer)
    : scenario_(scenario),
      faults_(seed, keeps_trace),
      random_(faults_.random()),
      world_(scenario_, faults_, clock_),
      history_(world_.history()),
      source_(world_.source()),
      disk_(faults_),
      checker_(history_, source_, faults_),
      store_(disk_, checker_, faults_),
      make_interposer_(std::move(make_interposer)) {
  const bool by_gtid = source_.must_ask_by_gtid;
  const bool logs_gtids = source_.server->logs_gtids();
  start_.server_uuid = source_.server->uuid();
  if (!by_gtid) start_.position = {.gtids = {}, .file = "binlog.000001", .offset = 4};
  if (scenario.keeps_checkpoints || scenario.repeats_nothing) checker_.ForbidRepeats();
  if (scenario.renews_producer && !scenario.repeats_nothing && random_.OneIn(2)) {
    settings_.drain_timeout = milliseconds(random_.Below(20));
  }
  if (scenario.reads_tables) {
    settings_.chunk_rows_max = 1 + random_.Below(4);
    settings_.chunk_bytes_max = 4 + random_.Below(60);
  }
  source_.hides_log_end = random_.OneIn(2);
  settings_.sink_room = 1 + random_.Below(12);
  settings_.state_directory = scratch;
  if (scenario.has_large_events) settings_.large_event_bytes = kLargeEventBytes;
  if (scenario.spills && random_.OneIn(8)) settings_.memory_bytes_max = 64;
  settings_.keeps_journal = scenario.fails_over;
  if (scenario.fails_over && random_.OneIn(4)) {
    settings_.on_lost = DeliveryConfig::OnLostTransactions::kStop;
  }
  if (scenario.has_dead_letters && !random_.OneIn(4)) {
    settings_.on_bad_event = DeliveryConfig::OnBadEvent::kDeadLetter;
  }
  const bool has_alarms = scenario.has_statements || scenario.fails_over ||
                          scenario.has_partial_images || scenario.hides_prepared_xa;
  if (scenario.has_bad_events || has_alarms) {
    for (const char* name : {"held", "skip", "skipped.jsonl", "passed", "dead-letters",
                             "alarms.jsonl", "journal", kLostFile}) {
      Remove(SystemFiles(), scratch, name);
    }
    if (scenario.has_bad_events) state_ = std::make_unique<StateDirectory>(scratch);
    if (has_alarms) alarms_ = std::make_unique<AlarmLog>(scratch);
  }
  faults_.Set(SomeOf(scenario.rates, random_));
  faults_.Note("seed {}: {}, {}, room for {} messages", seed, by_gtid ? "by GTID" : "by file",
               logs_gtids ? "GTIDs in the log" : "anonymous", settings_.sink_room);
}

Simulation::~Simulation() { EndProcess(); }

std::optional<std::string> Simulation::Run() {
  try {
    if (scenario_.reads_tables) world_.FillTable();
    const int actions = kActionsMin + static_cast<int>(random_.Below(kActionsMore));
    for (int i = 0; i < actions && !has_ended_; ++i) Act();
    if (!has_ended_) Heal();
    if (!has_ended_) CheckAtEnd();
    return std::nullopt;
  } catch (const Violation& violation) {
    faults_.Note("VIOLATION: {}", violation.what);
    return violation.what;
  }
}

void Simulation::Act() {
  clock_.Move(milliseconds(1));
  if (scenario_.has_keys()) world_.MoveStages();
  if (!process_) return SurvivingCrashes([this] { Start(); });
  const std::size_t turn = random_.Below(100);
  if (turn < 50) {
    if (turn < 3) AskServer();
    SurvivingCrashes([this] { Read(); });
  } else if (turn < 66) {
    SurvivingCrashes([this] { Acknowledge(); });
  } else if (turn < 80) {
    process_->sink().Step();
  } else if (turn < 92) {
    world_.Commit();
  } else if (turn < 94) {
    world_.DecideXa();
  } else if (turn < 96) {
    AskOperator();
  } else if (turn < 98) {
    Purge();
  } else if (scenario_.renews_producer && random_.OneIn(2)) {
    faults_.Note("a new producer is asked for");
    process_->RenewProducer();
  } else if (scenario_.fails_over && random_.OneIn(8)) {
    if (!world_.FailOver()) return;
    checker_.AllowRepeats();
    if (process_) process_->source().BreakOff();
  } else if (scenario_.stops && random_.OneIn(4)) {
    SurvivingCrashes([this] { Stop(); });
  } else if (!source_.gtid_mode_is_on && scenario_.switches_to_gtid && random_.OneIn(4) &&
             !history_.transactions.empty() && history_.transactions.front().gtid) {
    faults_.Note("server: gtid_mode = ON");
    source_.gtid_mode_is_on = true;
  }
}

// --- The world's turns ---

void Simulation::Purge() {
  const SimulatedServer& server = *source_.server;
  const bool is_safe = !scenario_.purges_unread || !random_.OneIn(2);
  if (!scenario_.purges && !scenario_.purges_unread) return;
  std::size_t passed = 0;
  if (checker_.durable()) {
    const binlog::Position& position = checker_.durable()->position;
    for (std::size_t i = 0; i < server.files().size(); ++i) {
      const bool by_gtid = source_.gtid_mode_is_on && !position.gtids.empty();
      const bool is_passed = by_gtid ? server.files()[i].previous.IsSubsetOf(position.gtids)
                                     : server.files()[i].name <= position.file;
      if (is_passed) passed = i;
    }
    // A failover has left the durable file behind.
    if (!source_.gtid_mode_is_on && !source_.former_uuid.empty()) passed = 0;
  }
  std::size_t file = is_safe ? passed : random_.Below(server.files().size());
  if (process_ && process_->source().reading_file() != kNone) {
    file = std::min(file, process_->source().reading_file());
  }
  if (file <= server.first_file()) return;
  faults_.Note("server: purges the files before {}", server.files()[file].name);
  world_.excuses().gap = world_.excuses().gap || file > passed;
  source_.server->PurgeBefore(file);
}

// Someone sees to the event that the relay holds at.
void Simulation::AskOperator() {
  if (!process_ || !process_->publisher().held()) return;
  const HeldEvent& held = *process_->publisher().held();
  std::size_t index = 0;
  std::from_chars(held.id.data() + 1, held.id.data() + held.id.size(), index);
  Event& event = history_.events.at(index);
  if (event.fault != Event::Fault::kHasNoTopic && random_.OneIn(2)) {
    faults_.Note("operator: event {} can be delivered now", index);
    Event::Fault& healed =
        scenario_.has_dead_letters && random_.OneIn(2) ? event.dead_fault : event.fault;
    healed = Event::Fault::kDeliverable;
    return;
  }
  faults_.Note("operator: skip {}", held.position);
  event.may_be_skipped = true;
  if (!state_->RequestSkip(held.position)) throw Violation{"the skip cannot be requested"};
}

// --- The process ---

template <typename Turn>
void Simulation::SurvivingCrashes(Turn turn) {
  try {
    turn();
  } catch (const Crashed&) {
    Crash();
  }
}

void Simulation::Crash() {
  if (process_) process_->sink().Drop();
  EndProcess();
  if (random_.OneIn(2)) {
    disk_.ProcessDies();
  } else {
    faults_.Note("the machine crashes");
    disk_.MachineDies();
  }
}

void Simulation::EndProcess() {
  if (!process_) return;
  const bool takes_xa_for_unknown = process_->counts().unknown_decisions > 0;
  process_.reset();
  checker_.AllowRepeats();
  if (takes_xa_for_unknown) faults_.Note("a decision was taken for one about the unknown");
}

void Simulation::Start() {
  faults_.Note("a process starts");
  auto loaded = store_.Load();
  if (!loaded) {
    if (loaded.error().kind == ExitCode::kState) return;  // systemd starts it again.
    throw Violation{loaded.error().message};
  }
  if (*loaded && !store_.Settle()) return;
  interposer_ = make_interposer_ ? make_interposer_() : std::make_unique<Interposer>();
  interposer_->Meet(source_);
  auto checkpoint = KeptCheckpoint();
  if (!checkpoint) checkpoint = *loaded;
  if (!checkpoint) {
    if (scenario_.reads_tables) start_ = world_.ReadFromHere();
    checkpoint = MakeCheckpoint(start_, "shop", {"shop.outbox"}, 0);
  }
  Progress progress = MakeProgress(*checkpoint);
  if (progress.read) checker_.BeginRead(progress.position);
  if (checkpoint != *loaded && !store_.Store(*checkpoint)) return;
  process_ = std::make_unique<SimulatedProcess>(
      SimulatedProcess::World{
          source_, history_, checker_, clock_, faults_, store_, state_.get(), alarms_.get(),
          *interposer_, scenario_.keeps_checkpoints ? &kept_ : nullptr, [this] { world_.GoOn(); }},
      std::move(progress), settings_);
}

// A sink that is open tells of it before the relay is made.
std::optional<Checkpoint> Simulation::KeptCheckpoint() {
  const auto kept = interposer_->Kept(kept_);
  if (!kept) return std::nullopt;
  auto decoded = DecodeCheckpoint(*kept, "shop", "kept");
  if (!decoded) throw Violation{decoded.error().message};
  return std::move(*decoded);
}

void Simulation::Read() {
  if (clock_.Now() < process_->reader_ready) {
    if (!random_.OneIn(4)) return;
    clock_.Move(std::chrono::ceil<milliseconds>(process_->reader_ready - clock_.Now()));
  }
  auto step = process_->relay().ReadStep();
  if (!step) return OnEnd(step.error());
  process_->reader_ready = clock_.Now() + step->pause;
  CheckMemory();
}

void Simulation::Acknowledge() {
  process_->acknowledger().Step(milliseconds(0));
  CheckLag();
  CheckKeptLog();
}

void Simulation::AskServer() { (void)process_->server_watch().Ask(); }

// Where the account may not ask for the end of the log, heartbeats have to prove it.
std::string Simulation::MissingProof(int step) {
  if (step % 64 == 0) AskServer();
  const auto lag = LagAfter(process_->status().lag);
  if (lag && lag->count() == 0) return {};
  return fmt::format("the lag is {}", lag ? fmt::format("{} us", lag->count()) : "not known");
}

// Nothing that was committed before is left, neither where the lag is told to be 0 nor where it is
// said how long that is ago.
void Simulation::CheckLag() {
  // Without being asked a replica does not tell that it is behind itself; what was believed then is
  // believed later, too.
  if (!scenario_.checks_lag || scenario_.reads_tables) return;
  was_behind_ = was_behind_ || !source_.lagging.empty();
  if (source_.hides_log_end && was_behind_) return;
  const auto lag = LagAfter(process_->status().lag);
  if (!lag) return;
  const std::uint64_t now_us = clock_.WallMicroseconds();
  const auto margin = lag->count() == 0 ? SimulatedProcess::kProofAgeMax : *lag;
  for (std::size_t i = 0; i < history_.events.size(); ++i) {
    const Event& event = history_.events[i];
    if (event.state != Event::State::kCommitted || history_.IsDone(event)) continue;
    if (history_.transactions[event.transaction].is_lost) continue;
    const auto age = std::chrono::microseconds(now_us - event.committed_us);
    if (age <= margin) continue;
    throw Violation{fmt::format("the lag is told to be {} us, but event {} waits for {} us",
                                lag->count(), i, age.count())};
  }
}

// Nothing that a start would need is in front of the file that is told to be needed.
void Simulation::CheckKeptLog() {
  if (scenario_.reads_tables) return;
  const auto& log = process_->status().server.log;
  const auto place = process_->place();
  const SimulatedServer& server = *source_.server;
  if (!log || log->needed_file.empty()) return;
  if (!place || place->server_uuid != server.uuid()) return;
  const std::size_t needed = server.FileNamed(log->needed_file);
  for (std::size_t i = 0; i < history_.events.size(); ++i) {
    const Event& event = history_.events[i];
    if (event.state != Event::State::kCommitted || history_.IsDone(event)) continue;
    if (history_.transactions[event.transaction].is_lost) continue;
    const std::size_t file = server.PlaceOf(event.transaction).first;
    if (file >= needed) continue;
    throw Violation{fmt::format("{} is told to be needed first, but event {} is in {}",
                                log->needed_file, i, server.files()[file].name)};
  }
}

void Simulation::Stop() {
  faults_.Note("a stop is asked for");
  process_->relay().RequestStop();
  for (int i = 0; i < kStepsToStopMax; ++i) {
    clock_.Move(milliseconds(5));
    auto step = process_->relay().ReadStep();
    if (!step) return OnEnd(step.error());
    process_->sink().Step();
    Acknowledge();
    if (step->kind != Step::Kind::kStopped) continue;
    (void)process_->acknowledger().Store();
    process_->sink().Drop();
    return EndProcess();
  }
  // A transaction that found no room, say: systemd kills it in the end.
  faults_.Note("the stop takes too long");
  Crash();
}

void Simulation::OnEnd(const Error& error) {
  faults_.Note("the relay ends: {}", error.message);
  const bool is_right = (error.kind == ExitCode::kDiverged && DivergenceIsRight()) ||
                        (error.kind == ExitCode::kGap && world_.excuses().gap);
  if (!is_right) throw Violation{"the relay ends: " + error.message};
  EndProcess();
  has_ended_ = true;
}

bool Simulation::DivergenceIsRight() const {
  if (world_.excuses().file_of_former) return true;
  const auto is_lost = [](const Transaction& transaction) { return transaction.is_lost; };
  if (std::ranges::none_of(history_.transactions, is_lost)) return false;
  if (settings_.on_lost == DeliveryConfig::OnLostTransactions::kStop) return true;
  // Not the former server's own, so that it is not known to have been its last.
  const auto is_foreign = [](const Transaction& transaction) {
    return transaction.is_lost &&
           binlog::ToText(transaction.gtid->origin.uuid) == kForeignServerUuid;
  };
  if (std::ranges::any_of(history_.transactions, is_foreign)) return true;
  // Nothing is left of what was read: it might be any other server.
  return process_->tracker()
      .progress()
      .position.gtids.Intersect(source_.server->logged_gtids())
      .empty();
}

void Simulation::CheckMemory() const {
  if (process_->counts().unknown_decisions > 0 && !world_.excuses().unknown_decision) {
    throw Violation{"an XA decision is taken for one about an unknown transaction"};
  }
  if (process_->prepared().held_count() > history_.transactions.size()) {
    throw Violation{"more prepared transactions are held than there are"};
  }
}

// --- The end ---

// All faults are over: within a bound everything has to come through.
void Simulation::Heal() {
  faults_.Note("everything heals");
  faults_.Heal();
  for (Event& event : history_.events) {
    if (event.fault != Event::Fault::kHasNoTopic) event.fault = Event::Fault::kDeliverable;
    event.dead_fault = Event::Fault::kDeliverable;
  }
  while (world_.has_prepared() && !random_.OneIn(4)) world_.DecideXa();
  std::string missing;
  for (int i = 0; i < kStepsToHealMax; ++i) {
    if (has_ended_) return;
    clock_.Move(milliseconds(1));
    if (!process_) {
      Start();
      continue;
    }
    process_->sink().Step();
    Acknowledge();
    AskOperator();
    if (!source_.lagging.empty() && i % 8 == 0) world_.Replicate();
    if (scenario_.has_keys() && i % 8 == 0) world_.Settle();
    if (clock_.Now() < process_->reader_ready) {
      clock_.Move(milliseconds(20));
      continue;
    }
    Read();
    if (process_ && process_->source().is_at_end() && i % 16 == 0) {
      missing = checker_.Missing();
      if (missing.empty() && !scenario_.reads_tables) missing = MissingProof(i);
      if (missing.empty()) return;
    }
  }
  throw Violation{"no progress after all faults are over: " + missing};
}

void Simulation::CheckAtEnd() {
  if (process_->tracker().has_trouble()) throw Violation{"trouble is left at the end"};
  // The record of one that a failover discarded stays until the next event is delivered.
  if (state_ && !process_->publisher().held() && source_.former_uuid.empty()) {
    const auto held = state_->ReadHeld();
    if (!held || *held) throw Violation{"an event is shown as held, but the relay moves"};
  }
  CheckLostEvents();
  if (!alarms_) return;
  const auto standing = alarms_->Standing();
  if (!standing || standing->size() < world_.statements()) {
    throw Violation{"a change in statement format raised no alarm"};
  }
  CheckMissedXa(*standing);
  CheckGoneInPart(*standing);
}

// Rows that the read could not give back, because the log has no more than their keys, are told of
// by their keys, and no others.
void Simulation::CheckGoneInPart(const std::vector<Alarm>& alarms) const {
  if (checker_.read() == nullptr) return;
  std::set<std::uint64_t> told;
  for (const Alarm& alarm : alarms) told.merge(KeysIn(alarm.text));
  std::set<std::uint64_t> gone;
  for (const auto& [event, key] : checker_.read()->GoneInPart()) {
    gone.insert(key);
    if (history_.IsDone(history_.events[event]) || told.contains(key)) continue;
    throw Violation{fmt::format("event {} at key {} is missed without a word", event, key)};
  }
  if (std::ranges::includes(gone, told)) return;
  throw Violation{"a row is told of that is not gone"};
}

// Rows that a read had to miss are told of by the name of their XA transaction: a failover took
// back what was decided about them, and it was decided otherwise; or nobody may ask what is
// prepared.
void Simulation::CheckMissedXa(const std::vector<Alarm>& alarms) const {
  const ReadChecker* const read = checker_.read();
  for (std::size_t i = 0; read != nullptr && i < history_.events.size(); ++i) {
    const Event& event = history_.events[i];
    if (event.state != Event::State::kCommitted || history_.IsDone(event)) continue;
    const std::size_t hidden = read->HiddenCommit(i);
    const bool is_missed =
        hidden != kNone ? read->IsThere(i) : read->IsDue(i) && read->WasDecidedAnew(i);
    const std::string& xid =
        history_.transactions[hidden != kNone ? hidden : event.transaction].xid;
    const bool is_told = std::ranges::any_of(alarms, [&xid](const Alarm& alarm) {
      return alarm.kind == "xa" && alarm.text.find(xid) != std::string::npos;
    });
    if (is_missed && !is_told) {
      throw Violation{fmt::format("event {} of {} is missed without a word", i, xid)};
    }
  }
}

// Where the sink keeps checkpoints it is known of every event that was published.
void Simulation::CheckLostParts() const {
  for (std::size_t i = 0; i < history_.events.size(); ++i) {
    const Transaction& transaction = history_.transactions[history_.events[i].transaction];
    if (!transaction.is_lost || !transaction.gtid || !history_.events[i].is_appended) continue;
    if (source_.reported_lost.Contains(*transaction.gtid)) continue;
    throw Violation{fmt::format("event {} was published, and that it was lost is not told", i)};
  }
}

// What was published of the transactions that the failover lost stands in the report, by its id.
void Simulation::CheckLostEvents() const {
  if (scenario_.keeps_checkpoints) CheckLostParts();
  if (source_.reported_lost.empty()) return;
  std::ifstream file(settings_.state_directory + "/" + kLostFile);
  const std::string report{std::istreambuf_iterator<char>(file), {}};
  for (const Transaction& transaction : history_.transactions) {
    if (transaction.kind != Kind::kInsert && transaction.kind != Kind::kXaCommit) continue;
    if (!transaction.gtid || !source_.reported_lost.Contains(*transaction.gtid)) continue;
    for (const std::size_t event : transaction.events) {
      if (history_.events[event].may_be_skipped) continue;
      // The read leaves out what came since it began, and cannot tell of which transaction a row
      // is.
      const bool is_of_read =
          checker_.read() != nullptr && (checker_.read()->IsOfRead(history_.events[event]) ||
                                         !history_.events[event].is_appended);
      // What becomes visible at boundaries is known of.
      const bool is_unpublished =
          scenario_.keeps_checkpoints && !history_.events[event].is_appended;
      if (is_of_read || is_unpublished) continue;
      if (report.find(fmt::format("\"id\":\"{}\"", IdOf(event))) != std::string::npos) continue;
      throw Violation{fmt::format("event {} was lost by the failover, but is not reported", event)};
    }
  }
}

}  // namespace outboxd::sim
