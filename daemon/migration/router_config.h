#pragma once

#include <string>

#include "daemon/migration/config_draft.h"
#include "daemon/migration/taken_options.h"

namespace outboxd {

// Adds the section [outbox] to `draft`: what the Outbox Event Router makes of a row of the tables
// that the connector includes, and its converters of that. `router` is what the names of its
// options begin with, "transforms.NAME.".
void AddRouterConfig(const std::string& router, TakenOptions& options, ConfigDraft& draft);

}  // namespace outboxd
