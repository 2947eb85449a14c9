#include "binlog/interrupter.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace outboxd::binlog {

void Interrupter::Request() {
  const std::lock_guard lock(mutex_);
  requested_.store(true);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

void Interrupter::Watch(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::close(socket_);
  socket_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (requested_.load() && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

void Interrupter::Clear() {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

}  // namespace outboxd::binlog
