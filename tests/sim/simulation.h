#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/state_directory.h"
#include "tests/sim/scenario.h"
#include "tests/sim/simulated_process.h"
#include "tests/sim/simulated_world.h"

namespace outboxd::sim {

// One history from its first transaction to its end, in one thread, decided by its seed.
class Simulation {
 public:
  using MakeInterposer = std::function<std::unique_ptr<Interposer>()>;

  // `scratch`: a directory on a memory file system, for what the relay writes past FileSystem.
  Simulation(const Scenario& scenario, std::uint64_t seed, bool keeps_trace,
             const std::string& scratch, MakeInterposer make_interposer = nullptr);
  ~Simulation();

  // None: every guarantee held.
  [[nodiscard]] std::optional<std::string> Run();
  [[nodiscard]] const std::vector<std::string>& trace() const { return faults_.trace(); }

 private:
  using Kind = Transaction::Kind;

  // The world's turns.
  void Act();
  void Purge();
  void AskOperator();
  void Heal();

  // The process.
  void Start();
  [[nodiscard]] std::optional<Checkpoint> KeptCheckpoint();
  void Crash();
  void Stop();
  void Read();
  void Acknowledge();
  // The server is asked about itself.
  void AskServer();
  void CheckLag();
  void CheckKeptLog();
  // Why the lag is not told to be 0 though nothing is left; empty: it is.
  [[nodiscard]] std::string MissingProof(int step);
  void OnEnd(const Error& error);
  template <typename Turn>
  void SurvivingCrashes(Turn turn);
  void EndProcess();

  void CheckAtEnd();
  void CheckLostEvents() const;
  void CheckLostParts() const;
  void CheckMissedXa(const std::vector<Alarm>& alarms) const;
  void CheckGoneInPart(const std::vector<Alarm>& alarms) const;
  [[nodiscard]] bool DivergenceIsRight() const;
  void CheckMemory() const;

  const Scenario scenario_;
  Faults faults_;
  SeededRandom& random_;
  FakeClock clock_;
  SimulatedWorld world_;
  History& history_;
  Source& source_;
  FakeDisk disk_;
  HistoryChecker checker_;
  CheckedStore store_;
  std::unique_ptr<StateDirectory> state_;
  std::unique_ptr<AlarmLog> alarms_;
  MakeInterposer make_interposer_;
  SimulatedProcess::Settings settings_;
  Progress start_;
  std::optional<std::string> kept_;  // By the sink.

  std::unique_ptr<Interposer> interposer_;     // Of the process.
  std::unique_ptr<SimulatedProcess> process_;  // Null: not running.

  bool has_ended_ = false;   // Rightly, for good: only an operator goes on from here.
  bool was_behind_ = false;  // A server was, behind its source.
};

}  // namespace outboxd::sim
