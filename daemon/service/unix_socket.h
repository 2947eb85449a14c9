#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "daemon/error.h"

namespace outboxd {

// A socket's descriptor that closes itself.
class UnixSocket {
 public:
  UnixSocket() = default;
  explicit UnixSocket(int descriptor) : descriptor_(descriptor) {}
  ~UnixSocket() { Close(); }
  UnixSocket(UnixSocket&& other) noexcept : descriptor_(other.Release()) {}
  UnixSocket& operator=(UnixSocket&& other) noexcept {
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
[[nodiscard]] Result<UnixSocket> ConnectTo(const std::string& path);

// The process that listens where `socket` is connected to; none: it is not told.
[[nodiscard]] std::optional<pid_t> PeerOf(const UnixSocket& socket);

// One that listens at `path`, mode 0660; what stands there is replaced. kState.
[[nodiscard]] Result<UnixSocket> ListenAt(const std::string& path);

}  // namespace outboxd
