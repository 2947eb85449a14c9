#pragma once

#include <string>

#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// Records in the relay's state directory what the person at the terminal is about to do
// (daemon/checkpoint/action_log.h). kState: it cannot be recorded, and is not to be done.
[[nodiscard]] Result<void> RecordAction(const Config& config, const std::string& what,
                                        const std::string& of, const std::string& text = {});

}  // namespace outboxd
