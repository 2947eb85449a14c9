#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "binlog/event_source.h"
#include "binlog/table_source.h"
#include "tests/daemon/fakes.h"
#include "tests/sim/history_checker.h"
#include "tests/sim/log_interpreter.h"
#include "tests/sim/simulated_process.h"
#include "tests/sim/simulated_tables.h"
#include "tests/sim/simulated_world.h"

namespace outboxd::sim {

// The rule of the read of a table in its shortest form, in the place of the relay: what tells
// whether the simulated world and its checker are right. Every message is acknowledged at once.
class ModelRead {
 public:
  using MakeInterposer = std::function<std::unique_ptr<Interposer>()>;
  struct Bugs {
    bool forgets_keys = false;  // That came since the position and went again.
  };

  ModelRead(const Scenario& scenario, std::uint64_t seed, bool keeps_trace,
            const MakeInterposer& make_interposer = nullptr)
      : ModelRead(scenario, seed, keeps_trace, make_interposer, {}) {}
  ModelRead(const Scenario& scenario, std::uint64_t seed, bool keeps_trace,
            const MakeInterposer& make_interposer, Bugs bugs);

  // None: every guarantee held.
  [[nodiscard]] std::optional<std::string> Run();
  [[nodiscard]] const std::vector<std::string>& trace() const { return faults_.trace(); }
  [[nodiscard]] SimulatedWorld& world() { return world_; }

 private:
  using Image = LoggedImage;

  // Both are done for good when they return true; broken off by a failure, they are called again.
  bool ReadTable();
  bool ReadStream();

  bool Begin();
  bool WaitForPrepared();
  enum class Chunk { kMore, kLast };
  std::optional<Chunk> ReadChunk();
  bool ReadDumpUpTo(const binlog::LogEnd& end);
  bool Note(const LoggedChange& change);
  void PublishChunk(const binlog::Chunk& chunk, bool is_last);
  void Publish(const Image& image, Road road);
  std::optional<binlog::KeyPlace> PlaceOf(std::uint64_t seq);
  [[nodiscard]] bool waits() const { return !world_.source().gtid_mode_is_on; }
  void CheckAtEnd() const;

  const Scenario scenario_;
  const Bugs bugs_;
  Faults faults_;
  FakeClock clock_;
  SimulatedWorld world_;
  HistoryChecker checker_;
  std::unique_ptr<Interposer> interposer_;
  Progress begin_;

  // What survives a crash.
  std::optional<binlog::KeyPlace> done_place_;
  binlog::KeyValues done_key_;
  bool is_read_ = false;

  // Of one process.
  std::unique_ptr<SimulatedTables> tables_;
  std::unique_ptr<SimulatedSource> dump_;
  binlog::TableSource* seen_tables_ = nullptr;
  binlog::EventSource* seen_dump_ = nullptr;
  std::optional<LogInterpreter> log_;
  binlog::TableToRead table_;
  std::optional<binlog::KeyValues> bound_;
  std::set<binlog::KeyPlace> came_;
  std::map<binlog::KeyPlace, Image> back_;
};

}  // namespace outboxd::sim
