#pragma once

#include <string_view>

namespace outboxd::sinks {

// The names of things in what is said of a sink. The texts live as long as the process.
struct SinkWords {
  std::string_view destination;  // "to Kafka"
  std::string_view receiver;     // Who acknowledges messages: "Kafka".
  std::string_view identity;     // What OpenedSink::identity names: "Kafka cluster".
  std::string_view address_key;  // The setting that leads there: "kafka.bootstrap.servers".
  // Where times of messages are mapped: "see that topics keep messages of that age".
  std::string_view keep_advice;
};

}  // namespace outboxd::sinks
