#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sinks/error.h"
#include "sinks/kafka/kafka_properties.h"
#include "sinks/sink_log.h"

namespace outboxd::sinks {

struct KafkaBroker {
  std::int32_t id = 0;
  std::string address;  // "host:port" as the cluster advertises it.
  bool answers = false;
};

struct KafkaClusterFacts {
  std::string cluster_id;
  std::vector<KafkaBroker> brokers;
};

struct KafkaTopicFacts {
  std::int32_t partition_count = 0;
  std::int32_t replica_count = 0;     // Of the partition that has fewest.
  std::int32_t leaderless_count = 0;  // Partitions that nobody can write to now.
  // None: the right to see the topic's configuration is missing; `configuration_error` says so.
  std::optional<std::int64_t> min_insync_replicas;
  std::optional<std::int64_t> message_bytes_max;
  bool elects_unclean = false;  // A replica that lags may become the leader.
  std::string cleanup_policy;   // "delete", "compact", "compact,delete"; empty: not told.
  std::optional<std::int64_t> retention_ms;      // Of retention.ms; negative: for ever.
  std::optional<std::int64_t> age_taken_ms_max;  // An older message is refused.
  bool has_append_time = false;  // A message's own time is replaced by the broker's.
  std::string configuration_error;
};

// Looks at a cluster before messages go there. Produces nothing and creates nothing. One thread.
class KafkaProbe {
 public:
  // Errors as KafkaSink::Open(). `log` as in KafkaSinkOptions.
  [[nodiscard]] static Result<KafkaProbe> Connect(const KafkaProperties& properties, SinkLog log,
                                                  std::chrono::milliseconds timeout);

  KafkaProbe(KafkaProbe&&) noexcept;
  KafkaProbe& operator=(KafkaProbe&&) noexcept;
  ~KafkaProbe();

  // Asks each broker that the cluster lists itself, so that one that cannot be reached from here
  // shows.
  [[nodiscard]] Result<KafkaClusterFacts> Cluster(std::chrono::milliseconds timeout);

  // The names of all topics that this user may see.
  [[nodiscard]] Result<std::vector<std::string>> Topics(std::chrono::milliseconds timeout);

  // None: the topic does not exist. kRejected: the right to see it is missing.
  [[nodiscard]] Result<std::optional<KafkaTopicFacts>> Topic(const std::string& name,
                                                             std::chrono::milliseconds timeout);

 private:
  struct State;

  explicit KafkaProbe(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace outboxd::sinks
