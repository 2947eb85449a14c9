#pragma once

#include <cstdint>

namespace outboxd {

// What has gone wrong, and was waited out or got around, since the process began.
struct FailureCounts {
  std::uint64_t source_opened = 0;      // How often the log was opened.
  std::uint64_t source_failed = 0;      // Tries to open it or to read on.
  std::uint64_t sink_opened = 0;        // How often the sink was opened.
  std::uint64_t sink_unreachable = 0;   // Tries to open it, or to look a topic up.
  std::uint64_t sink_lost = 0;          // Producers that had to be replaced.
  std::uint64_t sink_refused = 0;       // Messages that the receiver refused.
  std::uint64_t sink_silent = 0;        // Times in which it acknowledged nothing.
  std::uint64_t dead_not_accepted = 0;  // Dead letters of events that were not even sent.
  std::uint64_t dead_refused = 0;       // Of events that the receiver refused.

  friend bool operator==(const FailureCounts&, const FailureCounts&) = default;
};

}  // namespace outboxd
