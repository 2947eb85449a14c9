#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace outboxd {

// What of a configuration may change while a relay runs: the log's level, delivery.max-rate, and
// the credentials and certificates of both sides.

// The keys among them in which `fresh` differs from `in_force`: "delivery.max-rate".
[[nodiscard]] std::vector<std::string> ReloadableChanges(const Config& in_force,
                                                         const Config& fresh);

// The sections in which it differs in anything else: "[outbox.orders]".
[[nodiscard]] std::vector<std::string> ChangesForRestart(const Config& in_force,
                                                         const Config& fresh);

}  // namespace outboxd
