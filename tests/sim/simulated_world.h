#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/relay/delivery_tracker.h"
#include "daemon/service/clock.h"
#include "tests/sim/faults.h"
#include "tests/sim/history.h"
#include "tests/sim/scenario.h"
#include "tests/sim/simulated_source.h"

namespace outboxd::sim {

// The servers of one history and what clients do there, whatever the relay makes of it.
class SimulatedWorld {
 public:
  // What may be the relay's answer because of what happened.
  struct Excuses {
    bool gap = false;               // Something that it has not read is purged.
    bool unknown_decision = false;  // Of XA, because what it decides is not in what is read.
    bool file_of_former = false;    // A failover left positions by file behind.
  };

  SimulatedWorld(const Scenario& scenario, Faults& faults, const Clock& clock);

  [[nodiscard]] History& history() { return history_; }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] Source& source() { return source_; }
  [[nodiscard]] const Source& source() const { return source_; }
  [[nodiscard]] Excuses& excuses() { return excuses_; }
  [[nodiscard]] const Excuses& excuses() const { return excuses_; }
  [[nodiscard]] std::size_t statements() const { return statements_; }
  [[nodiscard]] bool has_prepared() const { return !prepared_.empty(); }

  void Commit();
  void DecideXa();
  // A replica takes over. The last transactions may not have reached it yet, or never will. Nothing
  // happens the second time; whether it did.
  bool FailOver();
  // The new server gets one more of the former one's transactions.
  void Replicate();
  void MoveStages();
  // Fills the table that is going to be read.
  void FillTable();
  // What happens while the relay waits for an answer about the event table.
  void GoOn();
  // The faults are over: what was begun comes to its end.
  void Settle();

  // What a read that begins now begins with.
  [[nodiscard]] Progress ReadFromHere();

 private:
  using Kind = Transaction::Kind;

  void Commit(Transaction transaction);
  [[nodiscard]] std::size_t AddEvent(std::size_t transaction, Event::State state);
  void Decide(std::size_t event, Event::State state);
  void AddRowChanges(Transaction& transaction, Event::State state);
  [[nodiscard]] Transaction::Ddl DrawDdl();
  void LeaveBehind(std::size_t transaction);

  const Scenario& scenario_;
  Faults& faults_;
  const Clock& clock_;
  SeededRandom& random_;
  History history_;
  Source source_;
  Excuses excuses_;

  std::vector<std::size_t> prepared_;  // Undecided on the server.
  std::uint64_t next_number_ = 1;      // Of the server's own GTIDs, and of those it replicates.
  std::uint64_t next_foreign_number_ = 1;
  std::size_t statements_ = 0;
  std::size_t keys_ = 0;  // Of the event table: none is as large.
};

}  // namespace outboxd::sim
