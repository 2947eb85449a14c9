#include "daemon/preparation/spill_room.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/size_text.h"

namespace outboxd {

std::vector<Finding> CheckSpillRoom(const Config& config) {
  const std::string& directory = config.relay.spill_directory;
  struct statvfs room{};
  // The state directory is made by the first run.
  if (::statvfs(directory.c_str(), &room) != 0) {
    if (errno == ENOENT && directory == config.relay.state_directory) return {};
    return {{Finding::Level::kProblem, "spill directory",
             fmt::format("{}: {}", directory, std::strerror(errno)),
             "make it, for the account of the relay, or change relay.spill-directory",
             ExitCode::kState}};
  }
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    return {{Finding::Level::kProblem, "spill directory",
             fmt::format("{}: {}", directory, std::strerror(errno)),
             fmt::format("chown it to the account of the relay: {}", directory), ExitCode::kState}};
  }
  const std::uint64_t free = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (free >= config.relay.spill_bytes_max) return {};
  return {{Finding::Level::kWarning, "spill directory",
           fmt::format("{} has {} left, and relay.spill-bytes-max allows {}: the relay would hold"
                       " at a transaction that does not fit",
                       directory, BytesText(free), BytesText(config.relay.spill_bytes_max)),
           "make room, or name another file system in relay.spill-directory", ExitCode::kOk}};
}

}  // namespace outboxd
