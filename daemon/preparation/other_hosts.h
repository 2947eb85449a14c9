#pragma once

#include <vector>

#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {

// Each host of mysql.host where there are several: after a failover the relay reads from another
// one, and leaves out what it cannot read from. Connects to each, and asks what CheckSource() asks
// of settings and privileges.
[[nodiscard]] std::vector<Finding> CheckEachHost(const Config& config, const EventTables& tables);

}  // namespace outboxd
