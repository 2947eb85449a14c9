#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/table_source.h"
#include "tests/sim/faults.h"
#include "tests/sim/simulated_source.h"

namespace outboxd::sim {

// The connection of one process by which it reads the event table of a simulated server: what is
// committed, in the order of the numbers in seq.
class SimulatedTables final : public binlog::TableSource {
 public:
  // `between_calls`: lets the world go on before and behind each call; empty: it stands still.
  SimulatedTables(Source& source, const History& history, Faults& faults,
                  std::function<void()> between_calls = nullptr)
      : source_(source),
        history_(history),
        faults_(faults),
        between_calls_(std::move(between_calls)) {}

  binlog::Result<void> Open(const binlog::StreamIdentity& stream) override;
  void Close() override { is_open_ = false; }
  void Interrupt() override { is_interrupted_ = true; }

  binlog::Result<std::vector<binlog::TableToRead>> Describe(
      std::string_view schema_pattern, std::string_view table_pattern) override;
  binlog::Result<std::optional<std::set<std::string>>> PreparedXa() override;
  binlog::Result<binlog::LogEnd> EndOfLog() override;
  binlog::Result<std::optional<binlog::KeyValues>> HighestKey(const binlog::TableToRead& table,
                                                              bool waits_for_commits) override;
  binlog::Result<std::vector<binlog::KeyPlace>> PlacesOf(
      const binlog::TableKey& key, const std::vector<binlog::KeyValues>& keys) override;
  binlog::Result<std::optional<binlog::Chunk>> Read(const binlog::ChunkRequest& request) override;

 private:
  // What every call meets first.
  [[nodiscard]] binlog::Result<void> Begin(const char* call);
  void Idle();
  [[nodiscard]] binlog::Result<void> CheckTable(const binlog::TableToRead& table);
  // The table as a SELECT finds it.
  [[nodiscard]] const EventTable& Select(bool waits_for_commits);

  Source& source_;
  const History& history_;
  Faults& faults_;
  std::function<void()> between_calls_;

  bool is_open_ = false;
  bool is_interrupted_ = false;
  bool has_seen_column_ = false;  // That was added.
  std::string server_uuid_;       // Of the server that it is connected to.
};

}  // namespace outboxd::sim
