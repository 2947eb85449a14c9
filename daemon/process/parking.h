#pragma once

#include <chrono>
#include <optional>

#include "daemon/error.h"
#include "daemon/http/status_board.h"
#include "daemon/process/reload.h"
#include "daemon/service/clock.h"
#include "daemon/service/health_board.h"
#include "daemon/service/process_signals.h"
#include "daemon/service/service_notifier.h"

namespace outboxd {

struct Parking {  // Borrowed.
  HealthBoard& health;
  StatusBoard& board;
  ServiceNotifier& notifier;
  ProcessSignals& signals;
  const Clock& clock;
  Reload* reload;  // Null: the configuration is not read again.
};

// Stays, with a relay that has ended with `error`: alive, not ready, and saying why, in the log too
// from time to time. For places where a process that ends takes others down with it. Until a stop
// is asked for, or another try is due: after `pause` (none: only a person can help), or with
// another configuration. Whether a stop was asked for.
[[nodiscard]] bool Park(const Parking& parking, const Error& error,
                        std::optional<std::chrono::milliseconds> pause);

}  // namespace outboxd
