#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/relay/relay_core.h"
#include "tests/daemon/fakes.h"
#include "tests/sim/fake_disk.h"
#include "tests/sim/history_checker.h"
#include "tests/sim/keeping_sink.h"
#include "tests/sim/simulated_ledger.h"
#include "tests/sim/simulated_probe.h"
#include "tests/sim/simulated_sink.h"
#include "tests/sim/simulated_source.h"
#include "tests/sim/simulated_tables.h"

namespace outboxd::sim {

// Stands between the relay and the simulated world; those of tests put bugs there.
class Interposer {
 public:
  virtual ~Interposer() = default;
  // Before the first Around(): the world that the process is in.
  virtual void Meet(const Source&) {}
  virtual binlog::EventSource& Around(binlog::EventSource& source) { return source; }
  virtual binlog::TableSource& Around(binlog::TableSource& tables) { return tables; }
  virtual ReadLedger& Around(ReadLedger& ledger) { return ledger; }
  virtual binlog::ServerProbe& Around(binlog::ServerProbe& probe) { return probe; }
  virtual sinks::Sink& Around(sinks::Sink& sink) { return sink; }
  virtual CheckpointStore& Around(CheckpointStore& store) { return store; }
  // A new producer is asked for.
  virtual void Renew(RelayCore& core, SinkOwner&) { core.relay().RenewProducer(); }
  // What the sink keeps, as a process finds it at its start.
  virtual std::optional<std::string> Kept(const std::optional<std::string>& kept) { return kept; }
};

// Has every checkpoint checked on its way to the disk and back.
class CheckedStore final : public CheckpointStore {
 public:
  CheckedStore(FakeDisk& disk, HistoryChecker& checker, Faults& faults)
      : file_("state", "shop", disk), checker_(checker), faults_(faults) {}

  Result<std::optional<Checkpoint>> Load() override;
  Result<void> Settle() override;
  Result<void> Store(const Checkpoint& checkpoint) override;

 private:
  CheckpointFile file_;
  HistoryChecker& checker_;
  Faults& faults_;
};

// One process of the relay from its start to its end: all that a crash takes away.
class SimulatedProcess {
 public:
  struct World {  // Borrowed; what outlives the process.
    Source& source;
    History& history;
    HistoryChecker& checker;
    FakeClock& clock;
    Faults& faults;
    CheckpointStore& store;
    StateDirectory* state;  // Null: nothing is held.
    AlarmLog* alarms;
    Interposer& interposer;
    std::optional<std::string>* kept;  // Null: the sink keeps no checkpoints.
    // The world's turn while the event table is asked; empty: it stands still.
    std::function<void()> go_on = nullptr;
  };
  struct Settings {
    std::size_t sink_room = 16;
    std::chrono::milliseconds drain_timeout{30'000};
    std::size_t large_event_bytes = std::size_t{16} << 20;
    std::size_t chunk_rows_max = 3, chunk_bytes_max = 60;
    std::size_t memory_bytes_max = std::size_t{8} << 20;
    // On a memory file system: for what the relay writes past FileSystem.
    std::string state_directory;
    bool keeps_journal = false;
    DeliveryConfig::OnLostTransactions on_lost{};
    DeliveryConfig::OnBadEvent on_bad_event{};
  };

  SimulatedProcess(World world, Progress progress, const Settings& settings);

  // For how long a proof of the lag holds.
  static constexpr std::chrono::milliseconds kProofAgeMax{8};

  [[nodiscard]] Relay& relay() { return core_.relay(); }
  [[nodiscard]] ServerWatch& server_watch() { return *core_.server_watch(); }
  [[nodiscard]] RelayStatus status() { return core_.status(); }
  [[nodiscard]] std::optional<AcknowledgedPlace> place() {
    return core_.tracker().standing().place;
  }
  void RenewProducer() { interposer_.Renew(core_, owner_); }
  [[nodiscard]] Acknowledger& acknowledger() { return core_.acknowledger(); }
  [[nodiscard]] WorldSink& sink() { return *sink_; }
  [[nodiscard]] SimulatedSource& source() { return source_; }
  [[nodiscard]] const Publisher& publisher() const { return core_.publisher(); }
  [[nodiscard]] const binlog::PreparedTransactions& prepared() const { return core_.prepared(); }
  [[nodiscard]] DeliveryTracker& tracker() { return core_.tracker(); }
  [[nodiscard]] ChangeCounts counts() const { return core_.changes().counts(); }

  Clock::TimePoint reader_ready{};  // Until when the reader waits.

 private:
  Interposer& interposer_;
  SimulatedSource source_;
  SimulatedTables tables_;
  SimulatedLedger ledger_;
  SimulatedProbe probe_;
  std::unique_ptr<WorldSink> sink_;
  Liveness liveness_;
  Outages outages_;
  SinkOwner owner_;
  std::unique_ptr<Journal> journal_;  // Null: none is kept.
  RelayCore core_;
};

}  // namespace outboxd::sim
