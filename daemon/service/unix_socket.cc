#include "daemon/service/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/escaped.h"

namespace outboxd {
namespace {

constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

// `path` fits.
sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// With connect(2) or bind(2).
int With(decltype(&::connect) call, int descriptor, const std::string& path) {
  const sockaddr_un address = AddressOf(path);
  return call(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

Socket NewSocket() { return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

std::unexpected<Error> Failed(ExitCode kind, const std::string& path, int error) {
  return Fail(kind, "socket {}: {}", Escaped(path), std::strerror(error));
}

}  // namespace

int Socket::Release() { return std::exchange(descriptor_, -1); }

void Socket::Close() {
  if (descriptor_ >= 0) ::close(Release());
}

Result<void> CheckSocketPath(const std::string& path) {
  if (path.size() <= kPathBytesMax) return {};
  return Fail(ExitCode::kConfiguration,
              "socket {}: the path has {} bytes, and that of a socket at most {}",
              Escaped(path, 200), path.size(), kPathBytesMax)
      .Hint("set RUNTIME_DIRECTORY, or a relay.state-directory, with a shorter path");
}

Result<Socket> ConnectTo(const std::string& path) {
  if (auto fits = CheckSocketPath(path); !fits) return std::unexpected(fits.error());
  Socket socket = NewSocket();
  const timeval patience{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (With(::connect, socket.descriptor(), path) != 0) {
    const int error = errno;
    return Failed(error == EACCES ? ExitCode::kDenied : ExitCode::kUnreachable, path, error);
  }
  return socket;
}

std::optional<pid_t> PeerOf(const Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  const int got = ::getsockopt(socket.descriptor(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return got == 0 && peer.pid > 0 ? std::optional(peer.pid) : std::nullopt;
}

Result<Socket> ListenAt(const std::string& path) {
  constexpr int kWaitingMax = 16;
  constexpr mode_t kOwnerAndGroup = 0660;
  Socket socket = NewSocket();
  ::unlink(path.c_str());
  if (With(::bind, socket.descriptor(), path) != 0 || ::chmod(path.c_str(), kOwnerAndGroup) != 0 ||
      ::listen(socket.descriptor(), kWaitingMax) != 0) {
    return Failed(ExitCode::kState, path, errno);
  }
  return socket;
}

}  // namespace outboxd
