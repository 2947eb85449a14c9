#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "binlog/row_reader.h"
#include "binlog/transaction_reader.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/relay/acknowledger.h"
#include "daemon/relay/relay.h"
#include "tests/daemon/fakes.h"
#include "tests/sim/fake_disk.h"
#include "tests/sim/history_checker.h"
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
  // The source of the dump that belongs to the read of a table.
  virtual binlog::EventSource& AroundDump(binlog::EventSource& dump) { return dump; }
  virtual binlog::TableSource& Around(binlog::TableSource& tables) { return tables; }
  virtual sinks::Sink& Around(sinks::Sink& sink) { return sink; }
  virtual CheckpointStore& Around(CheckpointStore& store) { return store; }
};

// Has every checkpoint checked on its way to the disk and back.
class CheckedStore final : public CheckpointStore {
 public:
  CheckedStore(FakeDisk& disk, HistoryChecker& checker, Faults& faults)
      : file_("state", "shop", disk), checker_(checker), faults_(faults) {}

  Result<std::optional<Checkpoint>> Load() override;
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
    // The world's turn while the event table is asked; empty: it stands still.
    std::function<void()> go_on = nullptr;
  };
  struct Settings {
    std::size_t sink_room = 16;
    std::size_t large_event_bytes = std::size_t{16} << 20;
    std::size_t memory_bytes_max = std::size_t{8} << 20;
    // On a memory file system: for what the relay writes past FileSystem.
    std::string state_directory;
    bool keeps_journal = false;
    DeliveryConfig::OnLostTransactions on_lost{};
    DeliveryConfig::OnBadEvent on_bad_event{};
  };

  SimulatedProcess(World world, Progress progress, const Settings& settings);

  [[nodiscard]] Relay& relay() { return relay_; }
  [[nodiscard]] Acknowledger& acknowledger() { return acknowledger_; }
  [[nodiscard]] SimulatedSink& sink() { return sink_; }
  [[nodiscard]] SimulatedSource& source() { return source_; }
  // The server is gone.
  void BreakOff() {
    source_.BreakOff();
    dump_.BreakOff();
  }
  [[nodiscard]] const Publisher& publisher() const { return publisher_; }
  [[nodiscard]] const binlog::PreparedTransactions& prepared() const {
    return transactions_.prepared();
  }
  [[nodiscard]] const DeliveryTracker& tracker() const { return tracker_; }
  [[nodiscard]] ChangeCounts counts() const { return changes_.counts(); }

  Clock::TimePoint reader_ready{};  // Until when the reader waits.

 private:
  SimulatedSource source_;
  SimulatedSource dump_;
  SimulatedTables tables_;
  SimulatedSink sink_;
  binlog::EventSource& seen_source_;
  binlog::EventSource& seen_dump_;
  binlog::TableSource& seen_tables_;
  sinks::Sink& seen_sink_;
  binlog::TransactionReader transactions_;
  binlog::RowReader rows_;
  std::unique_ptr<Journal> journal_;  // Null: none is kept.
  DeliveryTracker tracker_;
  Publisher publisher_;
  ChangeWatch changes_;
  FailoverWatch failovers_;
  Relay relay_;
  Acknowledger acknowledger_;
};

}  // namespace outboxd::sim
