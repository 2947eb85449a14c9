#pragma once

#include <vector>

#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"

namespace outboxd {

// Whether large transactions can go to the spill directory, and whether it has room for as many as
// the configuration allows. No findings: it can, and has.
[[nodiscard]] std::vector<Finding> CheckSpillRoom(const Config& config);

}  // namespace outboxd
