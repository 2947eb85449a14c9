#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sinks/error.h"
#include "sinks/kafka/kafka_handles.h"
#include "sinks/kafka/kafka_partition_gate.h"
#include "sinks/kafka/kafka_sink_options.h"
#include "sinks/message.h"

namespace outboxd::sinks {

// The topics that one producer knows, with their partitions. Internal to sinks/kafka/; one per
// producer. Reader thread only.
//
// A topic is looked up when it is named first, and again every five minutes: as often as librdkafka
// and Java clients look for new partitions. What is known will do where the cluster does not answer
// then. A missing one is created where the options want it.
class TopicCache {
 public:
  using Clock = PartitionGate::Clock;

  struct Topic {
    TopicHandle handle;
    std::vector<PartitionGate::Partition> partitions;  // Never empty.
    Clock::time_point looked_up{};                     // None: it has to be, whatever is known.
  };

  // Both are borrowed.
  TopicCache(rd_kafka_t* client, const KafkaSinkOptions& options)
      : client_(client), options_(options) {}

  // The topic, valid until the next call. Where the cluster has to be asked it waits, at most three
  // times topic_timeout. kRejected: the name is illegal, may_publish says no, the topic is missing,
  // may not be seen or may not be created. kUnreachable: the cluster does not tell.
  [[nodiscard]] Result<Topic*> Find(std::string_view name, Clock::time_point now);

  // The partition for the message, an index of topic.partitions: the one that it names; else the
  // one of its key; else one after the other, by `id`. For a named one that is not known the
  // cluster is asked, with the wait and the errors of Find(). kRejected: it is not there.
  [[nodiscard]] Result<std::int32_t> ChoosePartition(const Message& message, DeliveryId id,
                                                     Topic& topic);

  // The next Find() asks the cluster what has become of the topic, and fails without an answer.
  static void LookUpAgain(Topic& topic) { topic.looked_up = {}; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };

  [[nodiscard]] Result<Topic*> Add(std::string_view name, Clock::time_point now);
  [[nodiscard]] Result<std::int32_t> CountPartitions(const Topic& topic);
  [[nodiscard]] Result<std::int32_t> CreateMissing(const Topic& topic);
  [[nodiscard]] Result<std::int32_t> CheckPartition(const Message& message, Topic& topic);

  // Constant after construction.
  rd_kafka_t* const client_;
  const KafkaSinkOptions& options_;

  // By their names. Rows choose topics, so that it is bounded: when it is full it starts anew.
  std::unordered_map<std::string, Topic, Hash, std::equal_to<>> topics_;
};

}  // namespace outboxd::sinks
