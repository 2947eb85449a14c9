#include <fmt/format.h>

#include <optional>

#include "daemon/checkpoint/relay_status.h"
#include "daemon/commands/commands.h"
#include "daemon/config/config_reader.h"
#include "daemon/service/health_client.h"
#include "daemon/service/health_server.h"

namespace outboxd {
namespace {

// Where this environment does not say it, as that of a person who typed the command: where the
// relay says that it listens.
Result<std::string> SocketToAsk(const CommandLine& line) {
  if (auto path = RuntimeSocketPath()) return std::move(*path);
  const auto config = ReadConfig(line.config_path, line.overrides);
  if (!config) return std::unexpected(config.error());
  const std::string& directory = config->relay.state_directory;
  const auto stored = ReadStatus(directory);
  if (stored && *stored && !(*stored)->health_socket.empty()) return (*stored)->health_socket;
  return SocketPathIn(directory);
}

}  // namespace

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
