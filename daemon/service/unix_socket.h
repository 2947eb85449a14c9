#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "daemon/error.h"

namespace outboxd {

// A socket's descriptor that closes itself.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() { Close(); }
  Socket(Socket&& other) noexcept : descriptor_(other.Release()) {}
  Socket& operator=(Socket&& other) noexcept {
    Close();
    descriptor_ = other.Release();
    return *this;
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // The caller closes it.
  int Release();

 private:
  void Close();

  int descriptor_ = -1;
};

// kConfiguration: unix(7) gives the path 108 bytes, with its end.
[[nodiscard]] Result<void> CheckSocketPath(const std::string& path);

// A stream socket that is connected to `path`, whose reads and writes wait for two seconds at most.
// kUnreachable: nobody listens there. kDenied: this user may not.
[[nodiscard]] Result<Socket> ConnectTo(const std::string& path);

// The process that listens where `socket` is connected to; none: it is not told.
[[nodiscard]] std::optional<pid_t> PeerOf(const Socket& socket);

// One that listens at `path`, mode 0660; what stands there is replaced. kState.
[[nodiscard]] Result<Socket> ListenAt(const std::string& path);

}  // namespace outboxd
