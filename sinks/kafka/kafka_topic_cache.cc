#include "sinks/kafka/kafka_topic_cache.h"

#include <thread>
#include <utility>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_record.h"
#include "sinks/kafka/kafka_topics.h"
#include "sinks/sink.h"

namespace outboxd::sinks {
namespace {

constexpr TopicCache::Clock::time_point kNever{};

constexpr std::size_t kTopicsMax = 10'000;

constexpr std::chrono::milliseconds kCreatedTopicLookInterval{100};

constexpr std::chrono::minutes kLookUpInterval{5};

// So many messages without a key in a row go to one partition, for the sake of batches.
constexpr DeliveryId kMessagesWithoutKeyTogether = 64;

}  // namespace

Result<TopicCache::Topic*> TopicCache::Find(std::string_view name, Clock::time_point now) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return Add(name, now);
  Topic& topic = found->second;
  if (topic.looked_up != kNever && now - topic.looked_up <= kLookUpInterval) return &topic;
  const auto count = CountPartitions(topic);
  if (count) {
    topic.partitions.resize(static_cast<std::size_t>(*count));
  } else if (topic.looked_up == kNever || count.error().kind == ErrorKind::kRejected) {
    return std::unexpected(count.error());
  }
  topic.looked_up = now;  // Also without an answer: what was known will do.
  return &topic;
}

Result<TopicCache::Topic*> TopicCache::Add(std::string_view name, Clock::time_point now) {
  if (const auto good = CheckKafkaTopicName(name); !good) return std::unexpected(good.error());
  if (options_.may_publish && !options_.may_publish(name)) return TopicIsNotAllowed(name);
  std::string key(name);
  Topic topic;
  topic.handle.reset(rd_kafka_topic_new(client_, key.c_str(), nullptr));
  if (!topic.handle) {
    return Fail(ErrorKind::kRejected, "topic {}: {}", name, Describe(rd_kafka_last_error()));
  }
  const auto count = CountPartitions(topic);
  if (!count) return std::unexpected(count.error());
  topic.partitions.resize(static_cast<std::size_t>(*count));
  topic.looked_up = now;
  if (topics_.size() >= kTopicsMax) topics_.clear();
  return &topics_.insert_or_assign(std::move(key), std::move(topic)).first->second;
}

Result<std::int32_t> TopicCache::CountPartitions(const Topic& topic) {
  const auto metadata = FetchTopicMetadata(client_, topic.handle.get(), options_.topic_timeout);
  if (!metadata) return std::unexpected(metadata.error());
  if (*metadata) return (*metadata)->partition_count;
  if (options_.create_topics) return CreateMissing(topic);
  const char* name = rd_kafka_topic_name(topic.handle.get());
  return Fail(ErrorKind::kRejected, "topic {} does not exist", name)
      .Hint("{}", CreateTopicCommand(BootstrapServers(options_.properties), name,
                                     options_.topic_partitions, options_.topic_replication,
                                     CountBrokers(client_, options_.topic_timeout)));
}

Result<std::int32_t> TopicCache::CreateMissing(const Topic& topic) {
  const std::string name = rd_kafka_topic_name(topic.handle.get());
  const auto deadline = std::chrono::steady_clock::now() + options_.topic_timeout;
  const auto created = CreateTopic(client_, name, options_.topic_partitions,
                                   options_.topic_replication, options_.topic_timeout);
  if (!created) return std::unexpected(created.error());
  // A broker may hear of the new topic a little later than the controller that made it.
  while (true) {
    const auto metadata = FetchTopicMetadata(client_, topic.handle.get(), options_.topic_timeout);
    if (metadata && *metadata) return (*metadata)->partition_count;
    if (!metadata && metadata.error().kind == ErrorKind::kRejected) {
      return std::unexpected(metadata.error());
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return Fail(ErrorKind::kUnreachable, "topic {} was created but does not appear", name);
    }
    std::this_thread::sleep_for(kCreatedTopicLookInterval);
  }
}

Result<std::int32_t> TopicCache::ChoosePartition(const Message& message, DeliveryId id,
                                                 Topic& topic) {
  const std::size_t count = topic.partitions.size();
  if (message.partition) return CheckPartition(message, topic);
  if (!message.key) return static_cast<std::int32_t>(id / kMessagesWithoutKeyTogether % count);
  return rd_kafka_msg_partitioner_murmur2(topic.handle.get(), AddressOf(*message.key),
                                          message.key->size(), static_cast<std::int32_t>(count),
                                          nullptr, nullptr);
}

Result<std::int32_t> TopicCache::CheckPartition(const Message& message, Topic& topic) {
  const auto is_there = [&] {
    return *message.partition >= 0 &&
           static_cast<std::size_t>(*message.partition) < topic.partitions.size();
  };
  if (is_there()) return *message.partition;
  const auto count = CountPartitions(topic);  // The topic may have got more of them.
  if (!count) return std::unexpected(count.error());
  topic.partitions.resize(static_cast<std::size_t>(*count));
  if (is_there()) return *message.partition;
  return Fail(ErrorKind::kRejected, "topic {}: there is no partition {}, it has {}", message.topic,
              *message.partition, *count)
      .Hint("kafka-topics.sh --bootstrap-server {} --alter --topic {} --partitions N",
            BootstrapServers(options_.properties), message.topic);
}

}  // namespace outboxd::sinks
