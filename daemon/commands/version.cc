#include <fmt/core.h>

#include "daemon/commands/commands.h"

namespace outboxd {

void VersionCommand() { fmt::print("outboxd {}\n", OUTBOXD_VERSION); }

}  // namespace outboxd
