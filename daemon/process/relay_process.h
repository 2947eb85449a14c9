#pragma once

#include <functional>
#include <optional>
#include <string>

#include "binlog/interrupter.h"
#include "daemon/checkpoint/checkpoint_store.h"
#include "daemon/checkpoint/relay_lock.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/http/status_board.h"
#include "daemon/preparation/preparation.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/process/opening.h"
#include "daemon/process/reload.h"
#include "daemon/process/worker.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/publisher.h"
#include "daemon/relay/purge_warning.h"
#include "daemon/relay/read_pace.h"
#include "daemon/relay/relay_core.h"
#include "daemon/relay/reminder.h"
#include "daemon/relay/sink_owner.h"
#include "daemon/service/clock.h"
#include "daemon/service/health_board.h"
#include "daemon/service/process_signals.h"
#include "daemon/service/service_notifier.h"
#include "sinks/sink.h"

namespace outboxd {

// The life of a running relay in this process: locking, opening, relaying (the initial read first
// where one is due), stopping. Whatever may take long is done by the reader thread; the calling
// thread feeds the watchdog, answers signals, and while there is something to relay acknowledges
// and stores checkpoints. Used by `run` and `tail`.
class RelayProcess {
 public:
  struct Parts {  // Borrowed; lock, store and state may be null: then nothing is remembered.
    const Config& config;
    sinks::Sink& sink;
    RelayLock* lock;
    CheckpointStore* store;
    StateDirectory* state;
    ServiceNotifier& notifier;
    ProcessSignals& signals;
    const Clock& clock;
    HealthBoard* health = nullptr;   // Null: nobody asks.
    StatusBoard* board = nullptr;    // The same.
    std::string health_socket = {};  // Where it is asked.
    Reload* reload = nullptr;        // Null: the configuration is not read again.
    decltype(Publisher::Options::on_mapped) on_mapped = {};
    // Whether a server that cannot be reached yet is waited for.
    bool waits_for_server = true;
  };

  explicit RelayProcess(Parts parts);

  // Goes on from the checkpoint, else from where delivery.start says, until a signal or an error;
  // before it returns it waits, up to relay.stop-timeout, for the deliveries under way and stores
  // the checkpoint.
  [[nodiscard]] Result<void> Run(const ReplicaIdentity& identity);

  // Whether Run() ended without an error because the whole is to begin anew, with the configuration
  // that is in force now.
  [[nodiscard]] bool begins_anew() const { return begins_anew_; }

  // The event for which Run() failed; none: it was not for one.
  [[nodiscard]] const std::optional<HeldEvent>& ended_at() const { return ended_at_; }

 private:
  [[nodiscard]] Result<std::optional<Checkpoint>> LoadCheckpoint();
  [[nodiscard]] Result<std::optional<Preparation>> Open(std::optional<Checkpoint> checkpoint);
  [[nodiscard]] Result<void> Begin(Opening& opening);
  void TellBeginning(bool has_checkpoint, const Progress& progress) const;
  [[nodiscard]] Result<void> StoreFirst(const Progress& progress);
  [[nodiscard]] RelayCore::Settings SettingsOf(const MysqlConfig& mysql);
  [[nodiscard]] Result<void> Relaying(Preparation preparation, const ReplicaIdentity& identity);
  void WhileRelaying(RelayCore& core, const Worker& reader, const AlarmLog* alarms, ReadPace& pace);
  void Tell(RelayStatus status);
  void Show(RelayStatus status);
  // What of a status only the process knows.
  void Complete(RelayStatus& status) const;
  // The calling loop is alive.
  void Beat(Clock::TimePoint now);
  void Remind(const RelayStatus& status);
  void TellRead(const InitialRead& read, ReadPace& pace);
  [[nodiscard]] Result<void> Stopping(RelayCore& core);
  void TellUnacknowledged(DeliveryTracker& tracker) const;
  // Whether a signal has come, now or before.
  [[nodiscard]] bool MustStop();
  // The same before there is something to relay, or whether it has to begin anew.
  [[nodiscard]] bool MustEndOpening();

  Parts parts_;
  Liveness liveness_;
  Outages outages_;
  SinkOwner sink_;
  // Breaks off what the preparation, and later the look-up of a table's columns, waits for.
  binlog::Interrupter interrupter_;
  sinks::DeliveryReports reports_while_opening_;  // That the producer was lost.
  std::optional<HeldEvent> ended_at_;
  bool is_stopping_ = false;
  bool begins_anew_ = false;
  Clock::TimePoint stop_deadline_ = Clock::TimePoint::max();

  // What was told last, and when it is time again.
  Clock::TimePoint next_status_{}, next_board_{}, next_read_told_{};
  Reminder reminder_;
  PurgeWarning purge_warning_;
  std::uint64_t told_at_us_ = 0, told_delivered_ = 0;
  double rate_ = 0;
  std::uint64_t rows_estimate_ = 0;
};

}  // namespace outboxd
