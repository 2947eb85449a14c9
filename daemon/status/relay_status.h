#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint/checkpoint.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/error.h"
#include "daemon/status/delivery_counts.h"
#include "daemon/status/failure_counts.h"
#include "daemon/status/lag.h"
#include "daemon/status/log_counts.h"
#include "daemon/status/receiver_facts.h"
#include "daemon/status/server_facts.h"

namespace outboxd {

// One side does not answer, or does not take what it is asked.
struct Outage {
  std::uint64_t since_us = 0;  // Wall clock, microseconds since the epoch.
  std::string reason;          // What was said last.

  friend bool operator==(const Outage&, const Outage&) = default;
};

// What a running relay is doing, as one value: the service manager, the log and `status` are told
// of it.
struct RelayStatus {
  enum class Phase { kPreparing, kInitialRead, kStreaming, kStopping };
  Phase phase = Phase::kPreparing;
  std::optional<HeldEvent> held;         // The event it stands still at.
  std::optional<Outage> source, sink;    // None: it answers, as far as is known.
  std::string receiver;                  // Who acknowledges messages, as "Kafka".
  std::optional<Outage> cut_off;         // MySQL answers, but gets nothing of its group.
  std::optional<Outage> room;            // What comes next does not fit in here.
  std::optional<Outage> state;           // The state directory does not take what it should.
  std::string file;                      // Of the position up to which all is delivered ...
  std::uint64_t offset = 0;              // ... as far as it is told by file.
  bool by_gtid = false;                  // Whether the position is a set of GTIDs.
  std::optional<InitialRead> read;       // How far it is acknowledged.
  std::uint64_t read_rows_estimate = 0;  // Rows of its tables, as the server estimates; 0: unknown.
  std::uint64_t delivered = 0;           // Events, since the process began.
  std::uint64_t skipped = 0;             // Events that an operator let pass, since then.
  std::uint64_t in_flight = 0;           // Messages on their way.
  double rate = 0;                       // Events a second, since the status before.
  LagFacts lag;                          // As of `written_at_us`.
  ServerFacts server;                    // As of the last 30 s.
  ReceiverFacts at_receiver;
  DeliveryCounts counts;
  LogCounts log_counts;
  FailureCounts failures;
  std::vector<HeldXa> held_xa;
  std::uint64_t alarms = 0;              // Standing.
  std::uint64_t spill_bytes = 0;         // Of large transactions, in the spill directory.
  std::optional<Outage> parked;          // The relay has ended, and the process stays.
  std::optional<Outage> refused_reload;  // A configuration that was read again, and why.
  std::string health_socket;             // Where it answers; empty: nowhere.
  std::uint64_t written_at_us = 0;

  friend bool operator==(const RelayStatus&, const RelayStatus&) = default;
};

// In one line, for people: what it is doing, then what stands in its way. `now_us`: wall clock.
[[nodiscard]] std::string StatusLine(const RelayStatus& status, std::uint64_t now_us);

// The same, as it is said again while something stands in its way; of a held event with what to do.
[[nodiscard]] std::string ReminderText(const RelayStatus& status, std::uint64_t now_us);

// What stands in its way, each in some words; empty: nothing does.
[[nodiscard]] std::vector<std::string> Hindrances(const RelayStatus& status, std::uint64_t now_us);
// Whether something stands in its way.
[[nodiscard]] bool IsHindered(const RelayStatus& status);
// Whether messages flow, or would if there were events: nothing stands in the way.
[[nodiscard]] bool IsReady(const RelayStatus& status);

// The age of the oldest transaction that a start would have to read again, or for the first time,
// `elapsed` after the status was made: the lag, or the age of a held XA transaction. 0: there is
// none. None: not known.
[[nodiscard]] std::optional<std::chrono::microseconds> OldestNeeded(
    const RelayStatus& status, std::chrono::microseconds elapsed = {});

// "17 events delivered, 1 skipped"
[[nodiscard]] std::string DeliveredText(std::uint64_t delivered, std::uint64_t skipped);

// Rows of the initial read that are acknowledged.
[[nodiscard]] std::uint64_t RowsRead(const InitialRead& read);

// The file `status` in a relay's state directory: JSON, replaced now and then while it runs, and
// once more when it ends. A lag that is not known has no key there. Other versions of the program
// can read it: what StoredStatus takes of it keeps its name. kState.
[[nodiscard]] Result<void> WriteStatus(const std::string& directory, const RelayStatus& status);
// How a run ended.
struct RunEnd {
  std::uint64_t at_us = 0;
  int exit_code = 0;
  std::string text = {};  // Why; empty with 0: a stop was asked for.
};
// Adds it to what the run wrote last. kState.
[[nodiscard]] Result<void> WriteRunEnd(const std::string& directory, const RunEnd& end);
// What `status` needs of it; none: there is no such file.
struct StoredStatus {
  std::string line;  // As of the moment it was written.
  std::uint64_t written_at_us = 0;
  std::optional<RunEnd> end = {};  // None: the run goes on, or was killed.
  std::string health_socket = {};
};
[[nodiscard]] Result<std::optional<StoredStatus>> ReadStatus(const std::string& directory);

}  // namespace outboxd
