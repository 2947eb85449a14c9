#pragma once

#include <string>

#include "daemon/error.h"
#include "daemon/service/health_board.h"

namespace outboxd {

// What the relay that listens at `path` says to GET `url`. Waits for a few seconds at most.
// kUnreachable: none listens there, or it does not answer as a relay does. kDenied, kConfiguration:
// as ConnectTo().
[[nodiscard]] Result<Health> AskHealth(const std::string& path, const std::string& url);

}  // namespace outboxd
