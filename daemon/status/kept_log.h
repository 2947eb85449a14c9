#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "binlog/log_keeping.h"

namespace outboxd {

// What the server that is read keeps of its binary log, and what of it the relay needs.
struct KeptLog {
  binlog::LogKeeping keeping;
  std::string needed_file;  // That would be read first after a start; empty: not known.
  bool is_gone = false;     // The server has removed it: after a start events would be missing.

  friend bool operator==(const KeptLog&, const KeptLog&) = default;
};

// The server keeps its log for ever, as far as is known.
inline constexpr std::chrono::microseconds kNeverPurged = std::chrono::microseconds::max();

// For how long nothing is removed that is needed, should nothing be delivered from now on: so long
// an outage is safe. `oldest_needed`: the age of the oldest transaction that is needed; 0: none is,
// so far. None: not known. 0: something is removed already, or may be at any moment.
[[nodiscard]] std::optional<std::chrono::microseconds> PurgeMargin(
    const KeptLog& log, const std::optional<std::chrono::microseconds>& oldest_needed);

// What is to be said where something is removed, or more than half of the time until then is over:
// "MySQL may remove what is not delivered in 3 h". Empty: nothing is.
[[nodiscard]] std::string PurgeText(const KeptLog& log,
                                    const std::optional<std::chrono::microseconds>& oldest_needed);

}  // namespace outboxd
