#include "sinks/kafka/kafka_topics.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "sinks/kafka/kafka_client.h"

namespace outboxd::sinks {
namespace {

// Apache Kafka, org.apache.kafka.common.internals.Topic: MAX_NAME_LENGTH and LEGAL_CHARS.
constexpr std::size_t kTopicNameLengthMax = 249;

bool IsLegalCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// A name from a row may hold anything; what is printed of it is bounded and harmless.
std::string Printable(std::string_view name) {
  std::string text(name.substr(0, kTopicNameLengthMax));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

TopicMetadata Summarise(const rd_kafka_metadata_topic& topic) {
  TopicMetadata metadata;
  metadata.partition_count = topic.partition_cnt;
  metadata.replica_count = std::numeric_limits<std::int32_t>::max();
  for (const rd_kafka_metadata_partition& partition :
       std::span(topic.partitions, static_cast<std::size_t>(topic.partition_cnt))) {
    metadata.replica_count = std::min(metadata.replica_count, partition.replica_cnt);
    if (partition.leader < 0) ++metadata.leaderless_count;
  }
  return metadata;
}

Result<std::optional<TopicMetadata>> Judge(const rd_kafka_metadata_topic& topic) {
  switch (topic.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      if (topic.partition_cnt > 0) return Summarise(topic);
      return Fail(ErrorKind::kUnreachable, "topic {} has no partitions yet", topic.topic);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      return std::optional<TopicMetadata>();
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return Fail(ErrorKind::kRejected, "topic {}: {}", topic.topic, Describe(topic.err))
          .Hint("grant this user the operations Write and Describe on it");
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return Fail(ErrorKind::kRejected, "topic {}: {}", topic.topic, Describe(topic.err));
    default:
      return Fail(ErrorKind::kUnreachable, "topic {}: {}", topic.topic, Describe(topic.err));
  }
}

ErrorKind KindOfCreateError(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return ErrorKind::kRejected;
    default:
      return ErrorKind::kUnreachable;
  }
}

Result<void> JudgeCreation(rd_kafka_event_t* event, const std::string& topic) {
  const rd_kafka_CreateTopics_result_t* result = rd_kafka_event_CreateTopics_result(event);
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR || result == nullptr) {
    return Fail(KindOfCreateError(rd_kafka_event_error(event)), "cannot create topic {}: {}", topic,
                rd_kafka_event_error_string(event));
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(result, &count);
  for (const rd_kafka_topic_result_t* created : std::span(results, count)) {
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(created);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* text = rd_kafka_topic_result_error_string(created);
    return Fail(KindOfCreateError(code), "cannot create topic {}: {}: {}", topic, Describe(code),
                text == nullptr ? "" : text);
  }
  return {};
}

}  // namespace

Result<void> CheckKafkaTopicName(std::string_view topic) {
  if (topic.empty() || topic.size() > kTopicNameLengthMax || topic == "." || topic == ".." ||
      !std::ranges::all_of(topic, IsLegalCharacter)) {
    return Fail(ErrorKind::kRejected,
                "topic name '{}' is not legal in Kafka: 1 to {} of a-z, A-Z, 0-9, '.', '_', '-'",
                Printable(topic), kTopicNameLengthMax);
  }
  if (topic.starts_with("__")) {
    return Fail(ErrorKind::kRejected, "topic {} is internal to Kafka and not written to", topic);
  }
  return {};
}

Result<std::optional<TopicMetadata>> FetchTopicMetadata(rd_kafka_t* client, rd_kafka_topic_t* topic,
                                                        std::chrono::milliseconds timeout) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(client, /*all_topics=*/0, topic, &answer, Milliseconds(timeout));
  const MetadataHandle metadata(answer);
  const char* name = rd_kafka_topic_name(topic);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Fail(ErrorKind::kUnreachable, "cannot look up topic {}: {}", name, Describe(code));
  }
  for (const rd_kafka_metadata_topic& found :
       std::span(metadata->topics, static_cast<std::size_t>(metadata->topic_cnt))) {
    if (std::string_view(found.topic) == name) return Judge(found);
  }
  return Fail(ErrorKind::kUnreachable, "cannot look up topic {}: no answer about it", name);
}

int CountBrokers(rd_kafka_t* client, std::chrono::milliseconds timeout) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(client, /*all_topics=*/0, nullptr, &answer, Milliseconds(timeout));
  const MetadataHandle metadata(answer);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? metadata->broker_cnt : 0;
}

std::string CreateTopicCommand(std::string_view bootstrap_servers, std::string_view topic,
                               std::int32_t partitions, std::int16_t replication,
                               int broker_count) {
  return fmt::format(
      "kafka-topics.sh --bootstrap-server {} --create --topic {} --partitions {}"
      " --replication-factor {}",
      bootstrap_servers, topic, partitions,
      broker_count == 0 ? replication : std::min<int>(replication, broker_count));
}

Result<void> CreateTopic(rd_kafka_t* client, const std::string& topic, std::int32_t partitions,
                         std::int16_t replication, std::chrono::milliseconds timeout) {
  std::array<char, 512> text{};
  const NewTopicHandle wanted(
      rd_kafka_NewTopic_new(topic.c_str(), partitions, replication, text.data(), text.size()));
  if (!wanted) {
    return Fail(ErrorKind::kRejected, "cannot create topic {}: {}", topic, text.data());
  }
  const AdminOptionsHandle options(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
  // Out-of-range durations only leave librdkafka's defaults in force.
  static_cast<void>(rd_kafka_AdminOptions_set_request_timeout(options.get(), Milliseconds(timeout),
                                                              text.data(), text.size()));
  const QueueHandle answers(rd_kafka_queue_new(client));
  std::array<rd_kafka_NewTopic_t*, 1> topics{wanted.get()};
  rd_kafka_CreateTopics(client, topics.data(), topics.size(), options.get(), answers.get());
  const EventHandle event(rd_kafka_queue_poll(answers.get(), Milliseconds(timeout)));
  if (!event) {
    return Fail(ErrorKind::kUnreachable, "cannot create topic {}: no answer within {} ms", topic,
                timeout.count());
  }
  return JudgeCreation(event.get(), topic);
}

}  // namespace outboxd::sinks
