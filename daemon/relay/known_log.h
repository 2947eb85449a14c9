#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "binlog/log_end.h"
#include "binlog/log_keeping.h"
#include "binlog/server_probe.h"
#include "daemon/relay/safe_position.h"
#include "daemon/relay/server_clock.h"
#include "daemon/service/clock.h"
#include "daemon/status/kept_log.h"

namespace outboxd {

// The files of the server's binary log, as they were told last: how large they are, and how long
// they are kept. The thread of ServerWatch only.
class KnownLog {
 public:
  // Borrowed.
  KnownLog(binlog::ServerProbe& probe, const ServerClock& server_clock, const Clock& clock);

  // Asks for the files where that can tell something new: of a server with many files it is work
  // for it. At most once a minute, and only where the log's end is in none that is known, or the
  // acknowledged place is not in the last one; else every ten minutes. `probe` is open.
  [[nodiscard]] binlog::Result<void> Learn(const AcknowledgedPlace& place,
                                           const binlog::LogEnd& end);

  // The bytes from a place to the end; none: it cannot be told by what the server answered.
  [[nodiscard]] std::optional<std::uint64_t> BytesBetween(const AcknowledgedPlace& place,
                                                          const binlog::LogEnd& end) const;
  // None: the files are not known.
  [[nodiscard]] std::optional<KeptLog> KeptFor(const AcknowledgedPlace& place) const;

 private:
  [[nodiscard]] bool IsDue(const AcknowledgedPlace& place, const binlog::LogEnd& end) const;
  [[nodiscard]] binlog::Result<void> LearnBegin();

  // Constant after construction.
  binlog::ServerProbe& probe_;
  const ServerClock& server_clock_;
  const Clock& clock_;

  std::vector<binlog::LogFile> files_;  // Empty: not known.
  std::string server_uuid_;             // Whose they are.
  Clock::TimePoint asked_at_{};         // For them.
  binlog::LogKeeping keeping_;          // But for the age of the oldest file ...
  std::uint64_t oldest_begun_us_ = 0;   // ... which was begun then, by the server's clock; 0: ?
  std::string begin_asked_of_;          // The file that was the oldest then ...
  Clock::TimePoint begin_asked_at_{};   // ... and when it was asked about.
};

}  // namespace outboxd
