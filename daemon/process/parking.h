#pragma once

#include <chrono>
#include <optional>

#include "daemon/error.h"
#include "daemon/service/clock.h"
#include "daemon/service/health_board.h"
#include "daemon/service/service_notifier.h"
#include "daemon/service/stop_signals.h"

namespace outboxd {

struct Parking {  // Borrowed.
  HealthBoard& health;
  ServiceNotifier& notifier;
  StopSignals& signals;
  const Clock& clock;
};

// Stays, with a relay that has ended with `error`: alive, not ready, and saying why, in the log too
// from time to time. For places where a process that ends takes others down with it. Until a signal
// comes, or for `pause`, after which another try is due; none: only a person can help. Whether a
// signal came.
[[nodiscard]] bool Park(const Parking& parking, const Error& error,
                        std::optional<std::chrono::milliseconds> pause);

}  // namespace outboxd
