#include "daemon/service/tcp_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/escaped.h"

namespace outboxd {
namespace {

struct AddressDeleter {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

}  // namespace

Result<Socket> ListenAtAddress(const std::string& host, std::uint16_t port) {
  constexpr int kWaitingMax = 64;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  const std::unique_ptr<addrinfo, AddressDeleter> addresses(found);
  const std::string where = fmt::format("{}:{}", Escaped(host, 200), port);
  if (failed != 0) {
    return Fail(ExitCode::kConfiguration, "{}: {}", where, ::gai_strerror(failed))
        .Hint("name an address of this machine, as 127.0.0.1:9464");
  }
  Socket socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.descriptor(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.descriptor(), kWaitingMax) != 0) {
    return Fail(ExitCode::kUnreachable, "{}: {}", where, std::strerror(errno));
  }
  return socket;
}

std::uint16_t PortOf(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return 0;
}

}  // namespace outboxd
