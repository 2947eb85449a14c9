#pragma once

#include <vector>

#include "binlog/error.h"
#include "binlog/event_source.h"
#include "binlog/log_end.h"

namespace outboxd::binlog {

// Tells how far the binary log of one server goes, over a connection that nobody else waits for.
//
// One thread; Interrupt() alone may be called from another. kDenied, kUnsuitable: the account may
// not ask, or there is no log. After any error it is closed: a connection keeps the rights that the
// account had when it was made.
class LogEndSource {
 public:
  virtual ~LogEndSource() = default;

  // Connects to the server that `stream` came from, unless it is connected to it. kDisconnected: it
  // cannot be reached, or another server answers there now.
  [[nodiscard]] virtual Result<void> Open(const StreamIdentity& stream) = 0;
  // Makes the current and the next call return kInterrupted. Any thread.
  virtual void Interrupt() = 0;

  [[nodiscard]] virtual Result<LogEnd> EndOfLog() = 0;
  // All files, in their order. For a server of many files this is work: it opens each of them.
  [[nodiscard]] virtual Result<std::vector<LogFile>> Files() = 0;
};

}  // namespace outboxd::binlog
