#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace outboxd::sinks {

// Owners of librdkafka's C handles. Internal to sinks/kafka/: the only header that includes
// librdkafka.

template <auto kDestroy>
struct KafkaDeleter {
  template <typename T>
  void operator()(T* handle) const noexcept {
    kDestroy(handle);
  }
};

template <typename T, auto kDestroy>
using KafkaHandle = std::unique_ptr<T, KafkaDeleter<kDestroy>>;

using ConfigurationHandle = KafkaHandle<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using ClientHandle = KafkaHandle<rd_kafka_t, rd_kafka_destroy>;  // Waits for its threads.
using QueueHandle = KafkaHandle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using TopicHandle = KafkaHandle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using EventHandle = KafkaHandle<rd_kafka_event_t, rd_kafka_event_destroy>;
using ErrorHandle = KafkaHandle<rd_kafka_error_t, rd_kafka_error_destroy>;
using HeadersHandle = KafkaHandle<rd_kafka_headers_t, rd_kafka_headers_destroy>;
using MetadataHandle = KafkaHandle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
using NewTopicHandle = KafkaHandle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using AdminOptionsHandle = KafkaHandle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using ConfigResourceHandle =
    KafkaHandle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;

}  // namespace outboxd::sinks
