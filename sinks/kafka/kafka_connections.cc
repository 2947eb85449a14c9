#include "sinks/kafka/kafka_connections.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sinks/kafka/kafka_client.h"

namespace outboxd::sinks {
namespace {

int OnConnect(int socket, const sockaddr* address, int address_bytes, const char*,
              void* opaque) noexcept {
  return static_cast<ClientHost*>(opaque)->connections.Connect(socket, address, address_bytes);
}

int OnClose(int socket, void* opaque) noexcept {
  return static_cast<ClientHost*>(opaque)->connections.Close(socket);
}

bool IsEstablished(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

}  // namespace

void KafkaConnections::Watch(rd_kafka_conf_t* configuration) {
  rd_kafka_conf_set_connect_cb(configuration, OnConnect);
  rd_kafka_conf_set_closesocket_cb(configuration, OnClose);
}

bool KafkaConnections::AnyEstablished() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(sockets_, IsEstablished);
}

// The socket does not block: as a rule the connection is on its way when this returns, which
// librdkafka does not want to hear of as a failure.
int KafkaConnections::Connect(int socket, const sockaddr* address, int address_bytes) {
  const bool is_connected = ::connect(socket, address, static_cast<socklen_t>(address_bytes)) == 0;
  const int failed = is_connected || errno == EINPROGRESS ? 0 : errno;
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(sockets_, socket) == sockets_.end()) sockets_.push_back(socket);
  return failed;
}

int KafkaConnections::Close(int socket) {
  const std::lock_guard lock(mutex_);  // Before its number is another one's.
  std::erase(sockets_, socket);
  return ::close(socket);
}

}  // namespace outboxd::sinks
