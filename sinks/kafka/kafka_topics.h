#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/error.h"
#include "sinks/kafka/kafka_handles.h"

namespace outboxd::sinks {

// Which topics can be written to, and whether they exist. Internal to sinks/kafka/.

struct TopicMetadata {
  std::int32_t partition_count = 0;
  std::int32_t replica_count = 0;  // Of the partition that has fewest.
  std::int32_t leaderless_count = 0;
};

// kRejected for a name that Kafka does not allow, and for its internal topics ("__...").
[[nodiscard]] Result<void> CheckKafkaTopicName(std::string_view topic);

// Asks the cluster about one topic; does not create it. None: it does not exist. kRejected: the
// right to see it is missing. kUnreachable: no answer, or none yet.
[[nodiscard]] Result<std::optional<TopicMetadata>> FetchTopicMetadata(
    rd_kafka_t* client, rd_kafka_topic_t* topic, std::chrono::milliseconds timeout);

// How many brokers the cluster has; 0: not known.
[[nodiscard]] int CountBrokers(rd_kafka_t* client, std::chrono::milliseconds timeout);

// The command that creates a topic. `broker_count`: how many the cluster has, which would refuse
// more replicas; 0: not known.
[[nodiscard]] std::string CreateTopicCommand(std::string_view bootstrap_servers,
                                             std::string_view topic, std::int32_t partitions,
                                             std::int16_t replication, int broker_count);

// Creates a topic, also one that another has created meanwhile. kRejected: the cluster refuses.
[[nodiscard]] Result<void> CreateTopic(rd_kafka_t* client, const std::string& topic,
                                       std::int32_t partitions, std::int16_t replication,
                                       std::chrono::milliseconds timeout);

}  // namespace outboxd::sinks
