#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/kafka/kafka_properties.h"
#include "sinks/sink_log.h"

namespace outboxd::sinks {

// What a sink to Kafka, and a probe of it, is told.
struct KafkaSinkOptions {
  KafkaProperties properties = {};  // bootstrap.servers among them.

  // Missing topics: create them, or refuse their messages.
  bool create_topics = false;
  std::int32_t topic_partitions = 3;
  std::int16_t topic_replication = 3;

  // As in SinkRequest. Reader thread.
  std::function<bool(std::string_view topic)> may_publish = {};
  // Exact names, as in SinkRequest. The first Open() is refused unless they exist or can be
  // created.
  std::vector<std::string> own_topics = {};

  // How long one look at a topic, or its creation, may hold Publish().
  std::chrono::milliseconds topic_timeout{5000};

  SinkLog log = {};  // Of librdkafka.
};

}  // namespace outboxd::sinks
