#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/state_directory.h"
#include "tests/sim/simulated_process.h"

namespace outboxd::sim {

// What may happen in the seeds of one family. Each seed takes a part of it.
struct Scenario {
  FaultRates rates = {};
  bool reads_by_gtid = true, reads_by_file = true;
  bool switches_to_gtid = false;  // gtid_mode goes to ON on the way.
  bool fails_over = false;        // Some seeds lose transactions, in some the new server lags.
  bool purges = false;            // What the durable checkpoint has passed.
  bool purges_unread = false;     // And what it has not.
  bool has_xa = false;
  bool has_torn_files = false;
  bool is_compressed = false;
  bool has_statements = false;
  bool has_large_events = false;
  bool has_bad_events = false;
  bool has_dead_letters = false;  // In some seeds bad events become dead letters.
  bool stops = false;
  bool spills = false;
  std::size_t transactions_max = 12;
};

// One history from its first transaction to its end, in one thread, decided by its seed.
class Simulation {
 public:
  using MakeInterposer = std::function<std::unique_ptr<Interposer>()>;

  // `scratch`: a directory on a memory file system, for what the relay writes past FileSystem.
  Simulation(const Scenario& scenario, std::uint64_t seed, bool keeps_trace, std::string scratch,
             MakeInterposer make_interposer = nullptr);
  ~Simulation();

  // None: every guarantee held.
  [[nodiscard]] std::optional<std::string> Run();
  [[nodiscard]] const std::vector<std::string>& trace() const { return faults_.trace(); }

 private:
  using Kind = Transaction::Kind;

  // The world's turns.
  void Act();
  void Commit();
  void Commit(Transaction transaction);
  void DecideXa();
  void FailOver();
  void Replicate();
  void Purge();
  void AskOperator();
  void Heal();

  // The process.
  void Start();
  void Crash();
  void Stop();
  void Read();
  void Acknowledge();
  void OnEnd(const Error& error);
  template <typename Turn>
  void SurvivingCrashes(Turn turn);
  void EndProcess();

  [[nodiscard]] std::size_t AddEvent(std::size_t transaction, Event::State state);
  void Decide(std::size_t event, Event::State state);
  void CheckAtEnd();
  void CheckLostEvents() const;
  [[nodiscard]] bool DivergenceIsRight() const;
  void CheckMemory() const;

  const Scenario scenario_;
  Faults faults_;
  SeededRandom& random_;
  History history_;
  Source source_;
  FakeClock clock_;
  FakeDisk disk_;
  HistoryChecker checker_;
  CheckedStore store_;
  std::unique_ptr<StateDirectory> state_;
  std::unique_ptr<AlarmLog> alarms_;
  MakeInterposer make_interposer_;
  SimulatedProcess::Settings settings_;
  Progress start_;

  std::unique_ptr<Interposer> interposer_;
  std::unique_ptr<SimulatedProcess> process_;  // Null: not running.

  std::vector<std::size_t> prepared_;  // Undecided on the server.
  std::uint64_t next_number_ = 1;      // Of the server's own GTIDs, and of those it replicates.
  std::uint64_t next_foreign_number_ = 1;
  std::size_t statements_ = 0;
  bool gap_is_right_ = false;
  bool may_be_unknown_ = false;     // An XA decision, because a failover lost an earlier one.
  bool is_file_of_former_ = false;  // A failover left positions by file behind.
  bool has_ended_ = false;          // Rightly, for good: only an operator goes on from here.
};

}  // namespace outboxd::sim
