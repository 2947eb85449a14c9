#pragma once

#include "daemon/service/clock.h"
#include "daemon/status/relay_status.h"

namespace outboxd {

// Logs well before the server removes what the relay has not delivered, and that it has: once, and
// again every ten minutes as long as it stands. One thread.
class PurgeWarning {
 public:
  // Borrowed.
  explicit PurgeWarning(const Clock& clock) : clock_(clock) {}

  void Look(const RelayStatus& status);

 private:
  const Clock& clock_;
  bool was_told_ = false;
  bool was_gone_ = false;
  Clock::TimePoint told_at_{};
};

}  // namespace outboxd
