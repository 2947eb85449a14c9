#include "daemon/process/relay_process.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "binlog/mysql_event_source.h"
#include "binlog/mysql_server_probe.h"
#include "binlog/mysql_table_source.h"
#include "daemon/preparation/log_readers.h"
#include "daemon/preparation/start_position.h"
#include "daemon/process/group_notice.h"
#include "daemon/relay/event_fields.h"
#include "daemon/relay/sqlite_read_ledger.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollTimeout{100};
constexpr milliseconds kSignalCheck{50};
constexpr std::chrono::seconds kStatusInterval{5};
// For those who ask by HTTP.
constexpr std::chrono::seconds kBoardInterval{1};
constexpr std::chrono::seconds kReadInterval{30};
constexpr std::chrono::seconds kSourceAnswerMargin{100};

std::string CountsText(const ChangeCounts& counts, std::uint64_t unselected) {
  std::string text;
  const auto add = [&text](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(unselected, "rows that are no events by their conditions");
  add(counts.updates, "updates of event tables");
  add(counts.deletes, "deletes");
  add(counts.ddl, "DDL statements");
  add(counts.statements, "changes in statement format");
  add(counts.unknown_decisions, "XA decisions about unknown transactions");
  return text;
}

// Of what stands in the way, that which the others follow from.
Notice NoticeOf(const RelayStatus& status) {
  if (status.state) return Notice::kHoldsForRecord;
  if (status.room) return Notice::kHoldsForRoom;
  if (status.held) return Notice::kHoldsAtEvent;
  if (status.source) return Notice::kSourceAway;
  return status.sink ? Notice::kSinkAway : Notice::kCutOff;
}

void LogWarnings(const std::vector<Finding>& warnings) {
  for (const Finding& warning : warnings) {
    spdlog::warn("{}: {}", warning.subject, WithHint(warning.found, warning.remedy));
  }
}

}  // namespace

RelayProcess::RelayProcess(Parts parts)
    : parts_(std::move(parts)),
      liveness_(parts_.clock),
      outages_(parts_.clock),
      sink_(parts_.sink, parts_.config.sink.family->words(), liveness_, outages_, parts_.clock),
      purge_warning_(parts_.clock) {}

Result<void> RelayProcess::Run(const ReplicaIdentity& identity) {
  if (parts_.lock != nullptr) {
    if (auto locked = parts_.lock->Lock(); !locked) return locked;
  }
  auto checkpoint = LoadCheckpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  parts_.notifier.Ready();
  auto preparation = Open(std::move(*checkpoint));
  if (!preparation) return std::unexpected(preparation.error());
  if (!preparation->has_value()) return {};
  LogWarnings((*preparation)->warnings);
  return Relaying(std::move(**preparation), identity);
}

bool RelayProcess::MustStop() {
  if (!is_stopping_ && parts_.signals.StopArrived()) {
    is_stopping_ = true;
    stop_deadline_ = parts_.clock.Now() + parts_.config.relay.stop_timeout;
    spdlog::info("stopping");
    parts_.notifier.Stopping();
  }
  return is_stopping_;
}

bool RelayProcess::MustEndOpening() {
  if (MustStop()) return true;
  begins_anew_ = parts_.reload != nullptr && parts_.reload->TakeWhole();
  return begins_anew_;
}

// What can be seen to be wrong without any server.
Result<std::optional<Checkpoint>> RelayProcess::LoadCheckpoint() {
  if (parts_.store == nullptr) return std::nullopt;
  auto checkpoint = parts_.store->Load();
  if (!checkpoint) return checkpoint;
  if (*checkpoint) {
    if (auto same = CheckTables(**checkpoint, parts_.config); !same) {
      return std::unexpected(same.error());
    }
    if (auto settled = parts_.store->Settle(); !settled) return std::unexpected(settled.error());
  } else if (parts_.config.delivery.start.kind == StartChoice::Kind::kNone) {
    return Fail(NoStartError(), "relay {}", parts_.config.relay.name);
  }
  return checkpoint;
}

// None: a stop was asked for.
Result<std::optional<Preparation>> RelayProcess::Open(std::optional<Checkpoint> checkpoint) {
  Opening opening({.config = parts_.config,
                   .sink = sink_,
                   .liveness = liveness_,
                   .outages = outages_,
                   .interrupter = interrupter_,
                   .clock = parts_.clock,
                   .waits_for_server = parts_.waits_for_server},
                  std::move(checkpoint));
  Result<void> ended;
  {
    Worker worker([&opening] { return opening.Run(); }, [&opening] { opening.RequestStop(); });
    while (!worker.finished() && !MustEndOpening()) {
      const auto now = parts_.clock.Now();
      if (now >= next_status_) {
        RelayStatus status;
        status.source = outages_.source();
        status.sink = outages_.sink();
        status.receiver = sink_.words().receiver;
        Tell(std::move(status));
      }
      if (now < liveness_.quiet_until() + kStatusInterval) Beat(now);
      sink_.Poll(kSignalCheck, reports_while_opening_);
    }
    ended = worker.finished() ? worker.result() : Result<void>();
  }
  (void)interrupter_.Take();
  const bool is_given_up = is_stopping_ || begins_anew_;
  if (is_given_up || !ended) sink_.Close();
  if (is_given_up) return std::optional<Preparation>();
  if (!ended) return std::unexpected(ended.error());
  if (auto begun = Begin(opening); !begun) return std::unexpected(begun.error());
  return std::move(opening.preparation());
}

Result<void> RelayProcess::Begin(Opening& opening) {
  const Progress& progress = opening.preparation()->progress;
  TellBeginning(opening.checkpoint().has_value(), progress);
  // What operators let pass elsewhere are other events.
  if (!opening.checkpoint() && parts_.state != nullptr) {
    if (auto forgotten = parts_.state->ForgetPassed(); !forgotten) return forgotten;
  }
  return opening.leaves_stored() ? StoreFirst(progress) : Result<void>();
}

// An emptied state directory looks like a first start: what it means is said each time.
void RelayProcess::TellBeginning(bool has_checkpoint, const Progress& progress) const {
  const binlog::Position& at = progress.position;
  const std::string place = at.gtids.empty() && !at.file.empty()
                                ? fmt::format("{}:{}", at.file, at.offset)
                                : fmt::format("GTIDs '{}'", at.gtids.ToText());
  const std::string_view read = progress.read ? ", first with the rows of its tables" : "";
  if (has_checkpoint) {
    spdlog::info("going on behind the checkpoint: {}{}", place, read);
  } else {
    const bool has_state = parts_.state != nullptr;
    const bool may_miss = has_state && parts_.config.delivery.start.kind == StartChoice::Kind::kNow;
    const std::string text = fmt::format(
        "BEGINNING ANEW, for there is no checkpoint{}{}: behind {}{}, as the start says{}",
        has_state ? " in " : "", has_state ? parts_.state->path() : "", place, read,
        may_miss ? "; what was committed before is not published" : "");
    const std::string_view hint = may_miss
                                      ? "if a relay of this name has run before, stop this one, and"
                                        " choose a place with 'outboxd position set'"
                                      : "";
    Log(LogLevel::kWarning, {.notice = Notice::kBeginsAnew}, WithHint(text, hint));
  }
}

// So that a restart does not begin at another place than this process.
Result<void> RelayProcess::StoreFirst(const Progress& progress) {
  if (parts_.store == nullptr) return {};
  return parts_.store->Store(MakeCheckpoint(progress, parts_.config.relay.name,
                                            TablePatterns(parts_.config),
                                            parts_.clock.WallMicroseconds()));
}

RelayCore::Settings RelayProcess::SettingsOf(const MysqlConfig& mysql) {
  const Config& config = parts_.config;
  // Opening can wait for a first event of each host, to compare it.
  const milliseconds first_event = mysql.first_event_timeout;
  const auto hosts = static_cast<int>(mysql.hosts.size());
  const milliseconds open_timeout = hosts * first_event + kSourceAnswerMargin;
  const milliseconds read_timeout = first_event + kSourceAnswerMargin;
  const binlog::TransactionBufferOptions buffer{.spill_directory = config.relay.spill_directory,
                                                .spill_bytes_max = config.relay.spill_bytes_max,
                                                .spill_use = std::make_shared<binlog::SpillUse>()};
  return {.name = config.relay.name,
          .table_patterns = TablePatterns(config),
          .delivery = config.delivery,
          .checkpoint_interval = config.checkpoint.interval,
          .lag = {.heartbeat = mysql.heartbeat},
          .drain_timeout = config.relay.stop_timeout,
          .state_directory = parts_.state == nullptr ? "" : parts_.state->path(),
          .buffer = buffer,
          .stream = {.open_timeout = open_timeout, .read_timeout = read_timeout},
          .read = {.buffer = buffer, .open_timeout = open_timeout, .read_timeout = read_timeout},
          .retry = {.has_answered = true},
          .schema_lookup = LookUpSchema(mysql, &interrupter_),
          .on_mapped = parts_.on_mapped};
}

Result<void> RelayProcess::Relaying(Preparation preparation, const ReplicaIdentity& identity) {
  const Config& config = parts_.config;
  MysqlConfig mysql = config.mysql;
  mysql.hosts = preparation.hosts;
  GroupNotice group_notice(outages_);
  binlog::MysqlEventSourceOptions source_options = SourceOptionsOf(mysql, identity);
  for (binlog::ConnectionOptions& host : source_options.hosts) {
    host.attributes = binlog::ConnectionAttributesOf(AttributesOf(config));
  }
  source_options.tell_cut_off = [&group_notice](const std::optional<binlog::Error>& cut_off) {
    group_notice.Tell(cut_off);
  };
  binlog::MysqlEventSource source(std::move(source_options));
  binlog::MysqlTableSource tables({.hosts = ConnectionOptionsOf(mysql)});
  SqliteReadLedger ledger(config.relay.spill_directory);
  binlog::MysqlServerProbe probe(ConnectionOptionsOf(mysql), RandomIdentity());
  const std::string directory = parts_.state == nullptr ? "" : parts_.state->path();
  std::optional<AlarmLog> alarms;
  std::optional<Journal> journal;
  if (!directory.empty()) {
    alarms.emplace(directory);
    if (config.checkpoint.journal_bytes_max > 0) {
      journal.emplace(directory, config.checkpoint.journal_bytes_max);
    }
  }
  RelayCore::Settings settings = SettingsOf(mysql);
  rows_estimate_ = preparation.read_rows_estimate;
  ReadPace pace({.rows_estimate = rows_estimate_,
                 .log_kept = preparation.log_kept,
                 .begun_us = preparation.progress.read ? preparation.progress.read->begun_us : 0});
  RelayCore core({.source = source,
                  .tables = tables,
                  .ledger = ledger,
                  .sink = sink_,
                  .store = parts_.store,
                  .state = parts_.state,
                  .alarms = alarms ? &*alarms : nullptr,
                  .journal = journal ? &*journal : nullptr,
                  .character_sets = preparation.character_sets,
                  .liveness = liveness_,
                  .outages = outages_,
                  .clock = parts_.clock,
                  .probe = directory.empty() ? nullptr : &probe},
                 std::move(settings), std::move(preparation.progress),
                 std::move(preparation.tables.selections), std::move(preparation.tables.mappings));
  core.tracker().Report(reports_while_opening_);
  Result<void> ended;
  {
    Worker reader([&core] { return core.relay().Run(); },
                  [&core] { core.relay().RequestStop(true); });
    std::optional<Worker> asking;
    if (ServerWatch* const watch = core.server_watch()) {
      asking.emplace([watch] { return watch->Run(); }, [watch] { watch->RequestStop(); });
    }
    WhileRelaying(core, reader, alarms ? &*alarms : nullptr, pace);
    ended = reader.result();
  }
  ended_at_ = core.publisher().stopped_at();
  auto stored = Stopping(core);
  if (!ended) return ended;
  return stored;
}

void RelayProcess::WhileRelaying(RelayCore& core, const Worker& reader, const AlarmLog* alarms,
                                 ReadPace& pace) {
  const Config& config = parts_.config;
  bool stop_was_requested = false;
  std::uint64_t alarms_standing = 0;  // Counted in a file: not as often as the rest is shown.
  next_status_ = parts_.clock.Now();
  while (!reader.finished()) {
    core.acknowledger().Step(kPollTimeout);
    const auto now = parts_.clock.Now();
    if (MustStop() && !std::exchange(stop_was_requested, true)) core.relay().RequestStop();
    if (now >= stop_deadline_) {
      core.relay().RequestStop(true);
      interrupter_.Request();
    }
    if (now < liveness_.quiet_until() + kStatusInterval) Beat(now);
    const bool is_reloaded = parts_.reload != nullptr && !is_stopping_ &&
                             parts_.reload->Step({.log_in = *config.mysql.renewable_log_in,
                                                  .sink = parts_.sink,
                                                  .relay = core.relay(),
                                                  .outages = outages_});
    const bool tells = now >= next_status_ || is_reloaded;
    if (!tells && now < next_board_) continue;
    next_board_ = now + kBoardInterval;
    RelayStatus status = core.status();
    if (is_stopping_) status.phase = RelayStatus::Phase::kStopping;
    if (tells && alarms != nullptr) alarms_standing = alarms->CountStanding().value_or(0);
    status.alarms = alarms_standing;
    if (status.read) TellRead(*status.read, pace);
    if (tells) {
      Tell(std::move(status));
    } else {
      Complete(status);
      Show(std::move(status));
    }
  }
}

void RelayProcess::Beat(Clock::TimePoint now) {
  parts_.notifier.Watchdog(now);
  if (parts_.health != nullptr) parts_.health->Beat();
}

// To the service manager, to those who ask how it is, and in the state directory for `status`.
void RelayProcess::Tell(RelayStatus status) {
  next_status_ = parts_.clock.Now() + kStatusInterval;
  const std::uint64_t now_us = parts_.clock.WallMicroseconds();
  if (told_at_us_ != 0 && now_us > told_at_us_) {
    rate_ = static_cast<double>(status.delivered - told_delivered_) * 1e6 /
            static_cast<double>(now_us - told_at_us_);
  }
  told_at_us_ = now_us;
  told_delivered_ = status.delivered;
  Complete(status);
  parts_.notifier.Status(StatusLine(status, status.written_at_us));
  Remind(status);
  purge_warning_.Look(status);
  if (parts_.state != nullptr) {
    if (auto written = WriteStatus(parts_.state->path(), status); !written) {
      spdlog::debug("the status cannot be written: {}", written.error().ToText());
    }
  }
  Show(std::move(status));
}

// To those who ask.
void RelayProcess::Show(RelayStatus status) {
  if (parts_.health != nullptr) {
    parts_.health->Set({IsReady(status), StatusLine(status, status.written_at_us)});
  }
  if (parts_.board != nullptr) parts_.board->Set(std::move(status));
}

void RelayProcess::Complete(RelayStatus& status) const {
  status.written_at_us = parts_.clock.WallMicroseconds();
  status.read_rows_estimate = rows_estimate_;
  status.rate = rate_;
  status.health_socket = parts_.health_socket;
  if (parts_.reload != nullptr) status.refused_reload = parts_.reload->refused();
}

// What stands in the way was logged when it began; it is said again as long as it lasts.
void RelayProcess::Remind(const RelayStatus& status) {
  if (!reminder_.IsDue(IsHindered(status), parts_.clock.Now())) return;
  const Notice notice = NoticeOf(status);
  const LogFields fields = status.held ? FieldsOf(*status.held, notice) : LogFields{notice};
  Log(LogLevel::kWarning, fields, ReminderText(status, status.written_at_us));
}

void RelayProcess::TellRead(const InitialRead& read, ReadPace& pace) {
  const std::uint64_t rows = RowsRead(read);
  if (const auto warning = pace.Warning(rows, parts_.clock.WallMicroseconds())) {
    spdlog::error("{}", *warning);
  }
  if (parts_.clock.Now() < next_read_told_) return;
  next_read_told_ = parts_.clock.Now() + kReadInterval;
  if (rows == 0) return;
  spdlog::info("initial read: {} rows delivered{}", rows,
               rows_estimate_ > 0 ? fmt::format(" of about {}", rows_estimate_) : "");
}

// Nothing is lost by it, yet who looks into the topic now does not find everything.
void RelayProcess::TellUnacknowledged(DeliveryTracker& tracker) const {
  const std::uint64_t count = tracker.in_flight();
  if (count == 0) return;
  const DeliveryTrouble trouble = tracker.TakeTrouble();
  std::string reason =
      fmt::format("within relay.stop-timeout, {} ms", parts_.config.relay.stop_timeout.count());
  if (trouble.failed) {
    reason = trouble.failed->error.message;
  } else if (trouble.lost) {
    reason = trouble.lost->message;
  }
  spdlog::warn("not acknowledged: {} ({}); the next start publishes {} again",
               count == 1 ? "1 event" : fmt::format("{} events", count), reason,
               count == 1 ? "it" : "them");
}

// What is under way would otherwise be sent again at the next start.
Result<void> RelayProcess::Stopping(RelayCore& core) {
  if (!is_stopping_) stop_deadline_ = parts_.clock.Now() + parts_.config.relay.stop_timeout;
  const DeliveryTracker& tracker = core.tracker();
  const bool was_stopping = is_stopping_;
  while (!tracker.AllAcknowledged() && !tracker.has_trouble() &&
         parts_.clock.Now() < stop_deadline_) {
    core.acknowledger().Step(kPollTimeout);
    Beat(parts_.clock.Now());
    if (!was_stopping && MustStop()) break;
  }
  const auto stored = core.acknowledger().Store();
  sink_.Close();
  TellUnacknowledged(core.tracker());
  spdlog::info("stopped: {}{}", DeliveredText(tracker.delivered(), tracker.skipped()),
               CountsText(core.changes().counts(), core.publisher().unselected()));
  return stored;
}

}  // namespace outboxd
