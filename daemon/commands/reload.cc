#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>

#include "daemon/commands/commands.h"
#include "daemon/commands/relay_socket.h"
#include "daemon/http/relay_pages.h"
#include "daemon/service/health_client.h"
#include "daemon/service/unix_socket.h"

namespace outboxd {
namespace {

// Both sides are tried; a server that is silent takes its time.
constexpr std::chrono::minutes kPatience{3};
constexpr std::chrono::milliseconds kLook{100};

// How many were answered, and how the last one was.
Result<Health> AskReloads(const std::string& path) { return AskHealth(path, kReloadsPath); }

// The process that listens at `path`.
Result<pid_t> ProcessAt(const std::string& path) {
  const auto socket = ConnectTo(path);
  if (!socket) return std::unexpected(socket.error());
  const auto process = PeerOf(*socket);
  if (process) return *process;
  return Fail(ExitCode::kUnreachable, "which process listens at {} is not told", path);
}

}  // namespace

Result<void> ReloadCommand(const CommandLine& line) {
  const auto path = SocketToAsk(line);
  if (!path) return std::unexpected(path.error());
  const auto before = AskReloads(*path);
  if (!before) return Fail(before.error(), "no relay answers");
  const auto process = ProcessAt(*path);
  if (!process) return std::unexpected(process.error());
  if (::kill(*process, SIGHUP) != 0) {
    const ExitCode code = errno == EPERM ? ExitCode::kDenied : ExitCode::kUnreachable;
    return Fail(code, "process {} cannot be told to reload: {}", *process, std::strerror(errno));
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto now = AskReloads(*path);
    if (!now) return Fail(now.error(), "the relay has gone");
    if (now->text != before->text) {
      const std::string how = now->text.substr(now->text.find(' ') + 1);
      if (!now->is_good) return Fail(ExitCode::kConfiguration, "{}", how);
      fmt::print("{}\n", how);
      return {};
    }
    std::this_thread::sleep_for(kLook);
  }
  return Fail(ExitCode::kUnreachable, "the relay has not answered within {} minutes",
              kPatience.count())
      .Hint("its log says what it waits for");
}

}  // namespace outboxd
