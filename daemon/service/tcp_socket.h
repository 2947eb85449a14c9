#pragma once

#include <cstdint>
#include <string>

#include "daemon/error.h"
#include "daemon/service/unix_socket.h"

namespace outboxd {

// A stream socket that listens at the first address of `host`; port 0: one that the system chooses.
// kUnreachable: the address is taken, or is not this machine's. kConfiguration: there is no such
// name. Waits for the name's look-up.
[[nodiscard]] Result<Socket> ListenAtAddress(const std::string& host, std::uint16_t port);

// Of a socket that listens; 0: it is none of TCP.
[[nodiscard]] std::uint16_t PortOf(int descriptor);

}  // namespace outboxd
