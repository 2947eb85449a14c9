#pragma once

#include <vector>

#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"

namespace outboxd {

// Warns of files with passwords and keys that accounts can read which have nothing to do with the
// relay. A file that cannot be looked at is left to whoever reads it.
[[nodiscard]] std::vector<Finding> CheckSecretFiles(const Config& config);

}  // namespace outboxd
