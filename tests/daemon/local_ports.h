#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace outboxd {

// A port of the loopback interface that nobody else has while this lives. Nobody listens there, so
// that a connection is refused.
class ClosedPort {
 public:
  ClosedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(::bind(socket_, any, bytes), 0);
    EXPECT_EQ(::getsockname(socket_, any, &bytes), 0);
    number_ = ntohs(address.sin_port);
  }
  ~ClosedPort() { ::close(socket_); }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;

  [[nodiscard]] std::uint16_t number() const { return number_; }

 protected:
  [[nodiscard]] int socket() const { return socket_; }

 private:
  // Constant after construction.
  const int socket_;
  std::uint16_t number_ = 0;
};

// One where somebody listens who never says a word.
class SilentPort : public ClosedPort {
 public:
  SilentPort() { EXPECT_EQ(::listen(socket(), 16), 0); }

  // Waits for a connection, which stays open.
  void Accept() { EXPECT_GE(::accept4(socket(), nullptr, nullptr, SOCK_CLOEXEC), 0); }
};

}  // namespace outboxd
