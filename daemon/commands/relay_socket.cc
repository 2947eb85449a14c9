#include "daemon/commands/relay_socket.h"

#include <utility>

#include "daemon/config/config_reader.h"
#include "daemon/service/http_server.h"
#include "daemon/status/relay_status.h"

namespace outboxd {

std::string SocketToAsk(const Config& config) {
  if (auto path = RuntimeSocketPath()) return std::move(*path);
  // A person's environment says nothing: the relay has written where it listens.
  const std::string& directory = config.relay.state_directory;
  const auto stored = ReadStatus(directory);
  if (stored && *stored && !(*stored)->health_socket.empty()) return (*stored)->health_socket;
  return SocketPathIn(directory);
}

Result<std::string> SocketToAsk(const CommandLine& line) {
  if (auto path = RuntimeSocketPath()) return std::move(*path);
  const auto config = ReadConfig(line.config_path, line.overrides);
  if (!config) return std::unexpected(config.error());
  return SocketToAsk(*config);
}

}  // namespace outboxd
