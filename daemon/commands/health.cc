#include <fmt/format.h>

#include "daemon/commands/commands.h"
#include "daemon/commands/relay_socket.h"
#include "daemon/service/health_client.h"

namespace outboxd {
Result<void> HealthCommand(const CommandLine& line) {
  const auto path = SocketToAsk(line);
  if (!path) return std::unexpected(path.error());
  auto health = AskHealth(*path, line.live ? "/healthz" : "/readyz");
  if (!health && health.error().kind == ExitCode::kUnreachable) {
    health = Health{false, fmt::format("no relay answers: {}", health.error().message)};
  }
  if (!health) return std::unexpected(health.error());
  fmt::print("{}\n", health->text);
  if (health->is_good) return {};
  return std::unexpected(Error{ExitCode::kNotReady, ""});
}

}  // namespace outboxd
