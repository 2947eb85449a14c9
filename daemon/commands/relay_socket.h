#pragma once

#include <string>

#include "daemon/commands/command_line.h"
#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// Where the running relay answers (daemon/service/http_server.h). Reads the configuration only
// where RUNTIME_DIRECTORY does not say it. kConfiguration.
[[nodiscard]] Result<std::string> SocketToAsk(const CommandLine& line);
// The same of a relay whose configuration was read.
[[nodiscard]] std::string SocketToAsk(const Config& config);

}  // namespace outboxd
