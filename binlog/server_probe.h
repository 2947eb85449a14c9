#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "binlog/error.h"
#include "binlog/event_source.h"
#include "binlog/log_end.h"

namespace outboxd::binlog {

// How a server stands to the one that it replicates from.
enum class ReplicaStanding {
  kNone,      // It replicates from none.
  kCaughtUp,  // It has applied what it has received.
  kBehind,    // It may lack something: it applies something, or does not replicate now.
};

// Asks one server about itself while its log is read, over a connection that nobody else waits for.
//
// One thread; Interrupt() alone may be called from another. kDenied, kUnsuitable: the account may
// not ask, or there is no log. After any error it is closed: a connection keeps the rights that the
// account had when it was made.
class ServerProbe {
 public:
  virtual ~ServerProbe() = default;

  // Connects to the server that `stream` came from, unless it is connected to it. kDisconnected: it
  // cannot be reached, or another server answers there now.
  [[nodiscard]] virtual Result<void> Open(const StreamIdentity& stream) = 0;
  // Makes the current and the next call return kInterrupted. Any thread.
  virtual void Interrupt() = 0;

  // Its time of day now, by its own clock: microseconds since the epoch. Every account may ask.
  [[nodiscard]] virtual Result<std::uint64_t> TimeOfDay() = 0;
  [[nodiscard]] virtual Result<LogEnd> EndOfLog() = 0;
  // The group of a member is not asked.
  [[nodiscard]] virtual Result<ReplicaStanding> StandingToSource() = 0;
  // All files, in their order. For a server of many files this is work: it opens each of them.
  [[nodiscard]] virtual Result<std::vector<LogFile>> Files() = 0;
  // After how long it removes a file, as it is set; 0: never.
  [[nodiscard]] virtual Result<std::chrono::seconds> Expiry() = 0;
  // When it began this file, by its own clock: microseconds since the epoch. It is asked over a
  // connection of its own, so that an error closes nothing. kGone: the file is no longer there.
  [[nodiscard]] virtual Result<std::uint64_t> BeginOf(const std::string& file) = 0;
};

}  // namespace outboxd::binlog
