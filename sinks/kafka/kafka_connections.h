#pragma once

#include <sys/socket.h>

#include <chrono>
#include <mutex>
#include <vector>

#include "sinks/kafka/kafka_handles.h"

namespace outboxd::sinks {

// The sockets of one client, so that a cluster that cannot be reached is noticed while there is
// nothing to deliver: librdkafka keeps at least one connection, tries every second while it has
// none, and tells nobody when it has one again. Internal to sinks/kafka/. Any thread.
//
// To ask the cluster something would not do: a question that waits for a broker which is away makes
// librdkafka 2.14 connect thousands of times a second.
class KafkaConnections {
 public:
  // From now on clients with this configuration tell of their sockets. Of their opaque.
  static void Watch(rd_kafka_conf_t* configuration);

  // Whether one of them is connected.
  [[nodiscard]] bool AnyEstablished() const;

  // What librdkafka calls.
  [[nodiscard]] int Connect(int socket, const sockaddr* address, int address_bytes);
  [[nodiscard]] int Close(int socket);

 private:
  mutable std::mutex mutex_;
  std::vector<int> sockets_;  // Guarded by mutex_.
};

}  // namespace outboxd::sinks
