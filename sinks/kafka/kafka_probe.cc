#include "sinks/kafka/kafka_probe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string_view>
#include <utility>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_handles.h"
#include "sinks/kafka/kafka_topics.h"

namespace outboxd::sinks {

struct KafkaProbe::State {
  ClientHost host;
  ClientHandle client;
  std::string cluster_id;
};

namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds Left(Clock::time_point deadline) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
}

// Sends one DescribeConfigs; its answer comes to `answers`.
void AskConfiguration(rd_kafka_t* client, rd_kafka_ResourceType_t type, const std::string& name,
                      void* opaque, std::chrono::milliseconds timeout, rd_kafka_queue_t* answers) {
  std::array<char, 512> text{};
  const AdminOptionsHandle options(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  // An out-of-range duration only leaves librdkafka's default in force.
  static_cast<void>(rd_kafka_AdminOptions_set_request_timeout(options.get(), Milliseconds(timeout),
                                                              text.data(), text.size()));
  rd_kafka_AdminOptions_set_opaque(options.get(), opaque);
  const ConfigResourceHandle resource(rd_kafka_ConfigResource_new(type, name.c_str()));
  std::array<rd_kafka_ConfigResource_t*, 1> resources{resource.get()};
  rd_kafka_DescribeConfigs(client, resources.data(), resources.size(), options.get(), answers);
}

// Any answer proves that the broker can be reached, also "not authorised".
bool IsAnswer(rd_kafka_resp_err_t code) {
  return static_cast<int>(code) >= static_cast<int>(RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::optional<std::int64_t> Number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

void ReadEntries(const rd_kafka_ConfigResource_t* resource, KafkaTopicFacts& facts) {
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resource, &count);
  for (const rd_kafka_ConfigEntry_t* entry : std::span(entries, count)) {
    const std::string_view name = rd_kafka_ConfigEntry_name(entry);
    const char* value = rd_kafka_ConfigEntry_value(entry);
    if (name == "min.insync.replicas") facts.min_insync_replicas = Number(value);
    if (name == "max.message.bytes") facts.message_bytes_max = Number(value);
    if (name == "unclean.leader.election.enable" && value != nullptr) {
      facts.elects_unclean = std::string_view(value) == "true";
    }
    if (name == "cleanup.policy" && value != nullptr) facts.cleanup_policy = value;
    if (name == "retention.ms") facts.retention_ms = Number(value);
    if (name == "message.timestamp.type" && value != nullptr) {
      facts.has_append_time = std::string_view(value) == "LogAppendTime";
    }
    // The latter is the former's name before Kafka 3.6; there may be both, and the lower counts.
    if (name == "message.timestamp.before.max.ms" ||
        name == "message.timestamp.difference.max.ms") {
      const auto age = Number(value);
      if (age) facts.age_taken_ms_max = std::min(*age, facts.age_taken_ms_max.value_or(*age));
    }
  }
}

void ReadConfiguration(rd_kafka_event_t* event, KafkaTopicFacts& facts) {
  if (event == nullptr) {
    facts.configuration_error = "no answer in time";
    return;
  }
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(event);
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR || result == nullptr) {
    facts.configuration_error = rd_kafka_event_error_string(event);
    return;
  }
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** resources =
      rd_kafka_DescribeConfigs_result_resources(result, &count);
  for (const rd_kafka_ConfigResource_t* resource : std::span(resources, count)) {
    const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ReadEntries(resource, facts);
    } else {
      facts.configuration_error = Describe(code);
    }
  }
}

}  // namespace

KafkaProbe::KafkaProbe(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaProbe::KafkaProbe(KafkaProbe&&) noexcept = default;
KafkaProbe& KafkaProbe::operator=(KafkaProbe&&) noexcept = default;
KafkaProbe::~KafkaProbe() = default;

Result<KafkaProbe> KafkaProbe::Connect(const KafkaProperties& properties, SinkLog log,
                                       std::chrono::milliseconds timeout) {
  auto configuration = BuildConfiguration(properties, {});
  if (!configuration) return std::unexpected(configuration.error());
  auto state = std::make_unique<State>();
  state->host.log = std::move(log);
  auto client = NewClient(*std::move(configuration), state->host);
  if (!client) return std::unexpected(client.error());
  state->client = *std::move(client);
  const QueueHandle events(rd_kafka_queue_get_main(state->client.get()));
  auto cluster_id = WaitForCluster(state->client.get(), events.get(), BootstrapServers(properties),
                                   timeout, state->host.log);
  if (!cluster_id) return std::unexpected(cluster_id.error());
  state->cluster_id = *std::move(cluster_id);
  return KafkaProbe(std::move(state));
}

Result<KafkaClusterFacts> KafkaProbe::Cluster(std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  rd_kafka_t* client = state_->client.get();
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(client, /*all_topics=*/0, nullptr, &answer, Milliseconds(timeout));
  const MetadataHandle metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Fail(ErrorKind::kUnreachable, "cannot list the brokers: {}", Describe(code));
  }
  KafkaClusterFacts facts;
  facts.cluster_id = state_->cluster_id;
  for (const rd_kafka_metadata_broker& broker :
       std::span(metadata->brokers, static_cast<std::size_t>(metadata->broker_cnt))) {
    facts.brokers.push_back({broker.id, fmt::format("{}:{}", broker.host, broker.port), false});
  }
  const QueueHandle answers(rd_kafka_queue_new(client));
  for (KafkaBroker& broker : facts.brokers) {
    AskConfiguration(client, RD_KAFKA_RESOURCE_BROKER, std::to_string(broker.id), &broker, timeout,
                     answers.get());
  }
  for (std::size_t i = 0; i < facts.brokers.size(); ++i) {
    const EventHandle event(rd_kafka_queue_poll(answers.get(), Milliseconds(Left(deadline))));
    if (!event) break;
    static_cast<KafkaBroker*>(rd_kafka_event_opaque(event.get()))->answers =
        IsAnswer(rd_kafka_event_error(event.get()));
  }
  return facts;
}

Result<std::vector<std::string>> KafkaProbe::Topics(std::chrono::milliseconds timeout) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(state_->client.get(), /*all_topics=*/1,
                                                     nullptr, &answer, Milliseconds(timeout));
  const MetadataHandle metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Fail(ErrorKind::kUnreachable, "cannot list the topics: {}", Describe(code));
  }
  std::vector<std::string> names;
  for (const rd_kafka_metadata_topic& topic :
       std::span(metadata->topics, static_cast<std::size_t>(metadata->topic_cnt))) {
    names.emplace_back(topic.topic);
  }
  return names;
}

Result<std::optional<KafkaTopicFacts>> KafkaProbe::Topic(const std::string& name,
                                                         std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  rd_kafka_t* client = state_->client.get();
  if (const auto legal = CheckKafkaTopicName(name); !legal) {
    return std::unexpected(legal.error());
  }
  const TopicHandle topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  if (!topic) {
    return Fail(ErrorKind::kRejected, "topic {}: {}", name, Describe(rd_kafka_last_error()));
  }
  const auto metadata = FetchTopicMetadata(client, topic.get(), timeout);
  if (!metadata) return std::unexpected(metadata.error());
  if (!*metadata) return std::optional<KafkaTopicFacts>();
  KafkaTopicFacts facts;
  facts.partition_count = (*metadata)->partition_count;
  facts.replica_count = (*metadata)->replica_count;
  facts.leaderless_count = (*metadata)->leaderless_count;
  const QueueHandle answers(rd_kafka_queue_new(client));
  AskConfiguration(client, RD_KAFKA_RESOURCE_TOPIC, name, nullptr, Left(deadline), answers.get());
  const EventHandle event(rd_kafka_queue_poll(answers.get(), Milliseconds(Left(deadline))));
  ReadConfiguration(event.get(), facts);
  return facts;
}

}  // namespace outboxd::sinks
