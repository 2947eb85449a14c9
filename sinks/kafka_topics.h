#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/error.h"
#include "sinks/kafka_handles.h"

namespace outboxd::sinks {

// Which topics may be written to, and whether they exist. Internal to sinks/ but for the options.

struct TopicMetadata {
  std::int32_t partition_count = 0;
  std::int32_t replica_count = 0;  // Of the partition that has fewest.
  std::int32_t leaderless_count = 0;
};

// Whether `topic` matches a pattern in which '*' stands for any text and '?' for one character;
// the pattern covers the whole name.
[[nodiscard]] bool MatchesPattern(std::string_view topic, std::string_view pattern);

// kRejected for a name that Kafka does not allow, its internal topics ("__..."), names in `denied`
// and, when `allowed` is not empty, all that match no pattern of it.
[[nodiscard]] Result<void> CheckTopicName(std::string_view topic,
                                          const std::vector<std::string>& allowed,
                                          const std::vector<std::string>& denied);

// Asks the cluster about one topic; does not create it. None: it does not exist. kRejected: the
// right to see it is missing. kUnreachable: no answer, or none yet.
[[nodiscard]] Result<std::optional<TopicMetadata>> FetchTopicMetadata(
    rd_kafka_t* client, rd_kafka_topic_t* topic, std::chrono::milliseconds timeout);

// How many brokers the cluster has; 0: not known.
[[nodiscard]] int CountBrokers(rd_kafka_t* client, std::chrono::milliseconds timeout);

// Creates a topic, also one that another has created meanwhile. kRejected: the cluster refuses.
[[nodiscard]] Result<void> CreateTopic(rd_kafka_t* client, const std::string& topic,
                                       std::int32_t partitions, std::int16_t replication,
                                       std::chrono::milliseconds timeout);

}  // namespace outboxd::sinks
