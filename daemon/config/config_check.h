#pragma once

#include "daemon/config/complaints.h"
#include "daemon/config/config.h"
#include "daemon/config/settings.h"

namespace outboxd {

// Complains of what no value tells by itself: keys that are missing, keys that exclude or need each
// other, a dead letter topic that events can name, tables that belong to two families, and a
// mapping that does not hold together. `config` is what `settings` say, with its defaults filled
// in.
void CheckConfig(const Config& config, const Settings& settings, Complaints& complaints);

}  // namespace outboxd
