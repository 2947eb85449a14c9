#include "sinks/kafka/kafka_topic_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_handles.h"
#include "sinks/kafka/kafka_topics.h"

namespace outboxd::sinks {

struct KafkaTopicReader::State {
  ClientHost host;
  ClientHandle client;
};

namespace {

using MessageHandle = KafkaHandle<rd_kafka_message_t, rd_kafka_message_destroy>;

std::string_view View(const void* bytes, std::size_t size) {
  return {static_cast<const char*>(bytes), size};
}

void TakeHeaders(const rd_kafka_message_t* message, std::vector<Header>& headers) {
  headers.clear();
  rd_kafka_headers_t* all = nullptr;
  if (rd_kafka_message_headers(message, &all) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(all, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers.push_back({name, value == nullptr ? std::nullopt : std::optional(View(value, size))});
  }
}

// `headers` is lent to the message.
StoredMessage Stored(const rd_kafka_message_t* message, const std::string& topic,
                     std::vector<Header>& headers) {
  TakeHeaders(message, headers);
  StoredMessage stored;
  stored.offset = message->offset;
  stored.message.topic = topic;
  if (message->key != nullptr) stored.message.key = View(message->key, message->key_len);
  if (message->payload != nullptr) stored.message.value = View(message->payload, message->len);
  stored.message.headers = headers;
  stored.message.partition = message->partition;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t timestamp = rd_kafka_message_timestamp(message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
    stored.message.timestamp = std::chrono::milliseconds(timestamp);
  }
  return stored;
}

ErrorKind KindOf(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ? ErrorKind::kRejected
                                                              : ErrorKind::kUnreachable;
}

// Reads one partition while it lives.
class Consumption {
 public:
  Consumption(rd_kafka_topic_t* topic, std::int32_t partition)
      : topic_(topic), partition_(partition) {}
  Consumption(const Consumption&) = delete;
  Consumption& operator=(const Consumption&) = delete;
  ~Consumption() {
    if (is_running_) rd_kafka_consume_stop(topic_, partition_);
  }

  [[nodiscard]] Result<void> Start(std::int64_t from) {
    if (rd_kafka_consume_start(topic_, partition_, from) != 0) {
      return Fail(ErrorKind::kUnreachable, "cannot read topic {}: {}", rd_kafka_topic_name(topic_),
                  Describe(rd_kafka_last_error()));
    }
    is_running_ = true;
    return {};
  }
  // Null: nothing came in time.
  [[nodiscard]] MessageHandle Next(std::chrono::milliseconds timeout) {
    return MessageHandle(rd_kafka_consume(topic_, partition_, Milliseconds(timeout)));
  }

 private:
  rd_kafka_topic_t* const topic_;
  const std::int32_t partition_;
  bool is_running_ = false;
};

// False: `take` has had enough.
Result<bool> ReadPartition(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition,
                           std::int64_t from, std::chrono::milliseconds timeout,
                           const std::function<bool(const StoredMessage&)>& take) {
  const std::string name = rd_kafka_topic_name(topic);
  std::int64_t low = 0;
  std::int64_t end = 0;
  const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
      client, name.c_str(), partition, &low, &end, Milliseconds(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Fail(KindOf(code), "topic {}: {}", name, Describe(code));
  }
  std::int64_t next = std::max(low, from);
  if (next >= end) return true;
  Consumption consumption(topic, partition);
  if (auto started = consumption.Start(next); !started) return std::unexpected(started.error());
  std::vector<Header> headers;
  while (next < end) {
    const MessageHandle message = consumption.Next(timeout);
    if (!message) {
      return Fail(ErrorKind::kUnreachable, "topic {}: no answer within {} ms", name,
                  timeout.count());
    }
    // The last offsets may be those of transactions' markers, which are no messages.
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return true;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const bool is_denied = message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
      return Fail(KindOf(message->err), "topic {}: {}", name, Describe(message->err))
          .Hint("{}", is_denied ? "grant this user the operation Read on it" : "");
    }
    next = message->offset + 1;
    if (!take(Stored(message.get(), name, headers))) return false;
  }
  return true;
}

Result<void> SetForReading(rd_kafka_conf_t* configuration) {
  constexpr std::pair<const char*, const char*> kProperties[] = {{"enable.partition.eof", "true"},
                                                                 {"enable.auto.commit", "false"}};
  char text[256];
  for (const auto& [name, value] : kProperties) {
    if (rd_kafka_conf_set(configuration, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
      return Fail(ErrorKind::kConfiguration, "kafka property {}: {}", name, text);
    }
  }
  return {};
}

}  // namespace

KafkaTopicReader::KafkaTopicReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaTopicReader::KafkaTopicReader(KafkaTopicReader&&) noexcept = default;
KafkaTopicReader& KafkaTopicReader::operator=(KafkaTopicReader&&) noexcept = default;
KafkaTopicReader::~KafkaTopicReader() = default;

Result<KafkaTopicReader> KafkaTopicReader::Connect(const KafkaProperties& properties, SinkLog log,
                                                   std::chrono::milliseconds timeout) {
  auto configuration = BuildConfiguration(properties, {});
  if (!configuration) return std::unexpected(configuration.error());
  if (auto set = SetForReading(configuration->get()); !set) return std::unexpected(set.error());
  auto state = std::make_unique<State>();
  state->host.log = std::move(log);
  auto client = NewClient(*std::move(configuration), state->host, RD_KAFKA_CONSUMER);
  if (!client) return std::unexpected(client.error());
  state->client = *std::move(client);
  const QueueHandle events(rd_kafka_queue_get_main(state->client.get()));
  const auto cluster = WaitForCluster(state->client.get(), events.get(),
                                      BootstrapServers(properties), timeout, state->host.log);
  if (!cluster) return std::unexpected(cluster.error());
  return KafkaTopicReader(std::move(state));
}

Result<void> KafkaTopicReader::Read(const std::string& topic, std::int64_t from,
                                    std::chrono::milliseconds timeout,
                                    const std::function<bool(const StoredMessage&)>& take) {
  rd_kafka_t* client = state_->client.get();
  const TopicHandle handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  if (!handle) {
    return Fail(ErrorKind::kRejected, "topic {}: {}", topic, Describe(rd_kafka_last_error()));
  }
  const auto metadata = FetchTopicMetadata(client, handle.get(), timeout);
  if (!metadata) return std::unexpected(metadata.error());
  if (!*metadata) return Fail(ErrorKind::kConfiguration, "topic {} does not exist", topic);
  for (std::int32_t partition = 0; partition < (*metadata)->partition_count; ++partition) {
    const auto more = ReadPartition(client, handle.get(), partition, from, timeout, take);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
  }
  return {};
}

}  // namespace outboxd::sinks
