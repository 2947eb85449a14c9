#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {

// Plays the service manager of this process, by its environment. It queues a few notifications:
// whoever sends more waits until they are received.
class ServiceManager {
 public:
  ServiceManager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const std::string path = directory_ / "notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~ServiceManager() {
    ::close(socket_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // From now on a notifier finds a watchdog of 30 s.
  static void Watch() {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  }

  // The notification that waits; empty: there is none.
  [[nodiscard]] std::string Received() const {
    char text[2048];
    const ssize_t bytes = ::recv(socket_, text, sizeof text, MSG_DONTWAIT);
    return bytes < 0 ? "" : std::string(text, static_cast<std::size_t>(bytes));
  }
  // All that wait, each with its line feed.
  [[nodiscard]] std::string ReceivedAll() const {
    std::string all;
    for (std::string one = Received(); !one.empty(); one = Received()) all += one + "\n";
    return all;
  }

 private:
  TemporaryDirectory directory_;
  const int socket_;  // Constant after construction.
};

}  // namespace outboxd
