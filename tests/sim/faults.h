#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace outboxd::sim {

// The process dies here: thrown at a yield point, caught where the run was started.
struct Crashed {};

// A guarantee is broken; thrown where it is seen, caught where the simulation was started.
struct Violation {
  std::string what;
};

// The one source of chance of a simulation: the same seed, the same numbers (SplitMix64).
class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
  }
  std::size_t Below(std::size_t end) { return end == 0 ? 0 : Next() % end; }
  // 0: never.
  bool OneIn(std::size_t count) { return count != 0 && Below(count) == 0; }

 private:
  std::uint64_t state_;
};

// How often each fault strikes: once in so many times on average; 0: never.
struct FaultRates {
  unsigned crash = 0;  // Yield points.
  unsigned disconnect = 0, corrupt = 0, source_open = 0;
  unsigned sink_open = 0, lost_producer = 0, unreachable_topic = 0;
  unsigned disk_call = 0, short_write = 0;
  unsigned table_open = 0, table_disconnect = 0;
  unsigned ledger = 0;  // Calls of the ledger of a read.
};

// Decides where faults strike and keeps the trace of what happened.
class Faults {
 public:
  Faults(std::uint64_t seed, bool keeps_trace) : random_(seed), keeps_trace_(keeps_trace) {}

  [[nodiscard]] SeededRandom& random() { return random_; }
  void Set(const FaultRates& rates) { rates_ = rates; }
  [[nodiscard]] const FaultRates& rates() const { return rates_; }
  void Heal() { rates_ = {}; }

  [[nodiscard]] bool Strike(unsigned one_in) { return random_.OneIn(one_in); }
  // A point at which the process may die.
  void Yield(const char* where) {
    if (!Strike(rates_.crash)) return;
    Note("CRASH in {}", where);
    throw Crashed{};
  }

  template <typename... Args>
  void Note(fmt::format_string<Args...> format, Args&&... args) {
    if (keeps_trace_) trace_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] const std::vector<std::string>& trace() const { return trace_; }
  [[nodiscard]] bool keeps_trace() const { return keeps_trace_; }

 private:
  SeededRandom random_;
  FaultRates rates_;
  bool keeps_trace_;
  std::vector<std::string> trace_;
};

}  // namespace outboxd::sim
