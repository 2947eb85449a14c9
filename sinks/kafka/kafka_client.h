#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/error.h"
#include "sinks/kafka/kafka_connections.h"
#include "sinks/kafka/kafka_handles.h"
#include "sinks/kafka/kafka_properties.h"
#include "sinks/sink_log.h"

namespace outboxd::sinks {

// What sink and probe share of talking to librdkafka: building a client and waiting for the
// cluster. Internal to sinks/kafka/.

[[nodiscard]] Result<ConfigurationHandle> BuildConfiguration(const KafkaProperties& properties,
                                                             const BatchLimits& limits);

// What a client calls back to. It outlives the client.
struct ClientHost {
  SinkLog log = nullptr;
  KafkaConnections connections = {};
};

// A client whose delivery reports and errors come as events. `host` is borrowed.
[[nodiscard]] Result<ClientHandle> NewClient(ConfigurationHandle configuration, ClientHost& host,
                                             rd_kafka_type_t type = RD_KAFKA_PRODUCER);

// Waits until a broker has told the cluster's id and returns it. kDenied: the credentials are
// wrong. kUnreachable: no answer in time; the message carries librdkafka's last error.
[[nodiscard]] Result<std::string> WaitForCluster(rd_kafka_t* client, rd_kafka_queue_t* events,
                                                 std::string_view bootstrap_servers,
                                                 std::chrono::milliseconds timeout,
                                                 const SinkLog& log);

// An error event as an error of ours; none for what librdkafka mends itself. `text` gets what it
// says in any case.
[[nodiscard]] std::optional<Error> JudgeErrorEvent(rd_kafka_event_t* event, std::string& text);

// Whether an error event tells a reason: that all brokers are down comes last, and says less than
// what came before it.
[[nodiscard]] bool SaysWhy(rd_kafka_event_t* event);

// "librdkafka 2.14.2": the one in force.
[[nodiscard]] std::string LibraryText();

// "message too large (MSG_SIZE_TOO_LARGE)".
[[nodiscard]] std::string Describe(rd_kafka_resp_err_t code);

[[nodiscard]] int Milliseconds(std::chrono::milliseconds duration);

}  // namespace outboxd::sinks
