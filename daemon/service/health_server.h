#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/error.h"
#include "daemon/service/health_board.h"

struct MHD_Daemon;

namespace outboxd {

// Where it is asked for HealthBoard::Reloads().
inline constexpr const char* kReloadsUrl = "/reloads";

// Answers GET /healthz, /readyz and /reloads by HTTP on a Unix socket: 200 where the board says
// that all is well, else 503, with its text. In a thread of its own, so that a loop that is stuck
// is told rather than waited for. It serves few clients at a time, and none for long.
class HealthServer {
 public:
  // Listens at `path`, mode 0660, for as long as it lives; what an earlier process left there goes.
  // `board` is borrowed. kConfiguration: the path is too long for a socket. kOtherActive: another
  // process answers there. kState: the socket cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<HealthServer>> Start(std::string path,
                                                                   const HealthBoard& board);
  ~HealthServer();
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  // What it says to a request for this path; null: 404. Any thread.
  [[nodiscard]] static std::unique_ptr<Health> Answer(std::string_view url,
                                                      const HealthBoard& board);

 private:
  HealthServer(std::string path, const HealthBoard& board)
      : path_(std::move(path)), board_(board) {}
  Result<void> Listen();

  struct Stopper {
    void operator()(MHD_Daemon* daemon) const;
  };

  const std::string path_;
  const HealthBoard& board_;
  bool is_bound_ = false;
  std::unique_ptr<MHD_Daemon, Stopper> daemon_;
};

// Where a relay answers: in the folder that systemd, or who starts the container, names in
// RUNTIME_DIRECTORY; none: it names none.
[[nodiscard]] std::optional<std::string> RuntimeSocketPath();
// Else it is here.
[[nodiscard]] std::string SocketPathIn(const std::string& state_directory);

}  // namespace outboxd
