#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "binlog/transaction.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/service/clock.h"
#include "daemon/service/notice.h"
#include "daemon/status/log_counts.h"

namespace outboxd {

// What the log has shown of event tables besides rows to publish, since the relay started.
struct ChangeCounts {
  std::uint64_t statements = 0;  // Changes in statement format: their rows are not in the log.
  std::uint64_t updates = 0;     // Rows events of updates and deletes that published nothing.
  std::uint64_t deletes = 0;
  std::uint64_t ddl = 0;                // Statements that name an event table.
  std::uint64_t unknown_decisions = 0;  // XA COMMIT of what was prepared before the relay began.
};

// Looks at each transaction before it is passed: counts what publishes nothing though it concerns
// an event table, and logs and records as an alarm what may be an event that nobody gets.
// Reader thread only, but for the counts.
class ChangeWatch {
 public:
  // `alarms` is borrowed and may be null: then alarms are only logged.
  ChangeWatch(const DeliveryConfig& config, AlarmLog* alarms, const Clock& clock)
      : on_statement_(config.on_statement),
        on_update_(config.on_update),
        alarms_(alarms),
        clock_(clock) {}

  // kUndecodable: the configuration wants to stop here. kState: the alarm cannot be recorded; to be
  // called again.
  [[nodiscard]] Result<void> Observe(const binlog::Transaction& transaction);

  [[nodiscard]] ChangeCounts counts() const;
  // Of transactions that were observed.
  [[nodiscard]] LogCounts log_counts() const {
    return {.committed = committed_.load(std::memory_order_relaxed),
            .rolled_back = rolled_back_.load(std::memory_order_relaxed)};
  }

 private:
  void Count(const binlog::Transaction& transaction);
  Result<void> RaiseAlarms(const binlog::Transaction& transaction);
  Result<void> OnStatements(const binlog::Transaction& transaction);
  struct Kind {
    std::string_view name;
    Notice notice;
  };
  Result<void> Raise(const Kind& kind, const binlog::Transaction& transaction, std::string text);

  // Constant after construction.
  const DeliveryConfig::OnStatement on_statement_;
  const DeliveryConfig::OnUpdate on_update_;
  AlarmLog* alarms_;
  const Clock& clock_;

  std::atomic<std::uint64_t> committed_ = 0, rolled_back_ = 0;  // Stored by the reader thread only.
  Clock::TimePoint next_log_{};  // Of a flood of alarms only some are logged.
  std::uint64_t unlogged_ = 0;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  ChangeCounts counts_;
};

// `statement` without the values in it, which may be payloads and secrets: each literal, and what
// may be the rest of one, stands as '?'.
[[nodiscard]] std::string WithoutLiterals(std::string_view statement);

// Where a transaction stands, for people: its GTID, or "FILE:OFFSET".
[[nodiscard]] std::string PlaceOf(const binlog::Transaction& transaction);

}  // namespace outboxd
