#pragma once

#include "binlog/interrupter.h"
#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// Whether both sides let a relay in as a configuration says, without disturbing one that runs.

// Logs in to the first server that answers, and asks whether the account has all that the relay
// needs. kDenied, kConfiguration, kUnreachable; of an interrupted one kUnreachable too.
[[nodiscard]] Result<void> TrySource(const Config& config, binlog::Interrupter& interrupter);

// Connects to where messages go; waits up to ten seconds. kDenied, kConfiguration, kUnreachable.
[[nodiscard]] Result<void> TrySink(const Config& config);

}  // namespace outboxd
