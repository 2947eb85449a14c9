#pragma once

#include "sinks/sink_family.h"

namespace outboxd::sinks {

// Messages in Kafka's topics (kafka_sink.h). Its sections are [kafka], with librdkafka's properties
// as they are, and [topics], with what it does about topics that are missing.
[[nodiscard]] const SinkFamily& KafkaFamily();

}  // namespace outboxd::sinks
