#include "sinks/kafka_sink.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sinks/kafka_client.h"
#include "sinks/kafka_delivery_reader.h"
#include "sinks/kafka_handles.h"
#include "sinks/kafka_partition_gate.h"
#include "sinks/kafka_topics.h"

namespace outboxd::sinks {

using Clock = PartitionGate::Clock;

namespace {

constexpr Clock::time_point kNever{};

}  // namespace

struct KafkaSink::Topic {
  TopicHandle handle;
  std::vector<PartitionGate::Partition> partitions;
  Clock::time_point looked_up = kNever;
};

struct KafkaSink::Producer {
  Producer(ClientHandle client_handle, QueueHandle event_queue, const KafkaLog& log,
           BatchLimits limits)
      : client(std::move(client_handle)),
        events(std::move(event_queue)),
        reader(client.get(), events.get(), gate, log, limits) {}

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };

  ClientHandle client;
  QueueHandle events;
  PartitionGate gate;
  DeliveryReader reader;

  // Reader thread only.
  std::unordered_map<std::string, Topic, Hash, std::equal_to<>> topics;

  // Poll() has reported the loss and the caller has come back since. Written under the sink's
  // mutex_.
  std::atomic<bool> lost = false;
};

namespace {

// Rows choose topics, so their number has no other bound. Above it the cache starts anew.
constexpr std::size_t kTopicsMax = 10'000;

constexpr std::chrono::milliseconds kCreatedTopicLookInterval{100};

// How soon new partitions of a topic are used: as often as librdkafka and Java clients look.
constexpr std::chrono::minutes kLookUpInterval{5};

// So many messages without a key in a row go to one partition, for the sake of batches.
constexpr DeliveryId kMessagesWithoutKeyTogether = 64;

// librdkafka takes a null pointer for "no key" and "no value", whatever the size.
void* Address(std::string_view bytes) {
  return const_cast<char*>(bytes.data() == nullptr ? "" : bytes.data());
}

rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, const std::optional<std::string_view>& bytes) {
  rd_kafka_vu_t argument;
  argument.vtype = type;
  argument.u.mem.ptr = bytes ? Address(*bytes) : nullptr;
  argument.u.mem.size = bytes ? bytes->size() : 0;
  return argument;
}

HeadersHandle MakeHeaders(std::span<const Header> headers) {
  HeadersHandle handle(rd_kafka_headers_new(headers.size()));
  for (const Header& header : headers) {
    rd_kafka_header_add(handle.get(), static_cast<const char*>(Address(header.name)),
                        static_cast<ssize_t>(header.name.size()),
                        header.value ? Address(*header.value) : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return handle;
}

// To librdkafka 0 is "now"; a replay must not send another time, so it becomes the next best.
std::int64_t TimestampOf(const Message& message) {
  if (!message.timestamp) return 0;
  return std::max<std::int64_t>(1, message.timestamp->count());
}

// Headers go as one handle that stays ours when it fails: librdkafka before 2.12 frees headers that
// it was given one by one twice when the partition does not exist (#4627).
ErrorHandle Produce(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition,
                    const Message& message, DeliveryId id) {
  HeadersHandle headers;
  if (!message.headers.empty()) headers = MakeHeaders(message.headers);
  std::array<rd_kafka_vu_t, 8> arguments;
  arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[0].u.rkt = topic;
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = partition;
  arguments[2] = Bytes(RD_KAFKA_VTYPE_KEY, message.key);
  arguments[3] = Bytes(RD_KAFKA_VTYPE_VALUE, message.value);
  arguments[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  arguments[4].u.i64 = TimestampOf(message);
  arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  arguments[5].u.ptr = reinterpret_cast<void*>(id);
  arguments[6].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[6].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[7].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[7].u.headers = headers.get();
  const std::size_t count = headers ? arguments.size() : arguments.size() - 1;
  ErrorHandle error(rd_kafka_produceva(client, arguments.data(), count));
  if (!error) static_cast<void>(headers.release());
  return error;
}

std::size_t BytesOf(const Message& message) {
  std::size_t bytes =
      (message.key ? message.key->size() : 0) + (message.value ? message.value->size() : 0);
  for (const Header& header : message.headers) {
    bytes += header.name.size() + (header.value ? header.value->size() : 0);
  }
  return bytes;
}

// `brokers`: how many there are; 0: not known. More replicas the cluster would refuse.
std::string CreateCommand(const KafkaSinkOptions& options, std::string_view topic, int brokers) {
  const int replicas =
      brokers == 0 ? options.topic_replication : std::min<int>(options.topic_replication, brokers);
  return fmt::format(
      "kafka-topics.sh --bootstrap-server {} --create --topic {} --partitions {} "
      "--replication-factor {}",
      BootstrapServers(options.properties), topic, options.topic_partitions, replicas);
}

// What librdkafka refused on the spot and for this message alone.
Error Judge(const Message& message, rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {ErrorKind::kRejected,
              fmt::format("topic {}: a message of {} bytes does not fit into message.max.bytes "
                          "HINT: raise message.max.bytes in [kafka] and max.message.bytes of the "
                          "topic, or make the event smaller",
                          message.topic, BytesOf(message))};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return {ErrorKind::kRejected,
              fmt::format("topic {}: {} HINT: grant this user the operations Write and Describe "
                          "on it",
                          message.topic, Describe(code))};
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return {ErrorKind::kRejected, fmt::format("topic {}: {}", message.topic, Describe(code))};
    default:
      return {ErrorKind::kUnreachable, fmt::format("topic {}: {}", message.topic, Describe(code))};
  }
}

}  // namespace

Result<std::unique_ptr<KafkaSink>> KafkaSink::Create(KafkaSinkOptions options) {
  if (const auto valid = ValidateKafkaProperties(options.properties); !valid) {
    return std::unexpected(valid.error());
  }
  return std::unique_ptr<KafkaSink>(new KafkaSink(std::move(options)));
}

KafkaSink::KafkaSink(KafkaSinkOptions options) : options_(std::move(options)) {}

KafkaSink::~KafkaSink() { Close(); }

Result<OpenedSink> KafkaSink::Open(std::chrono::milliseconds timeout) {
  Close();
  auto configuration = BuildConfiguration(options_.properties, limits_);
  if (!configuration) return std::unexpected(configuration.error());
  auto client = NewClient(*std::move(configuration), options_.log);
  if (!client) return std::unexpected(client.error());
  QueueHandle events(rd_kafka_queue_get_main(client->get()));
  auto cluster = WaitForCluster(client->get(), events.get(), BootstrapServers(options_.properties),
                                timeout, options_.log);
  if (!cluster) return std::unexpected(cluster.error());
  auto producer =
      std::make_unique<Producer>(*std::move(client), std::move(events), options_.log, limits_);
  {
    const std::scoped_lock lock(mutex_);
    producer_ = std::move(producer);
    changed_.notify_all();
  }
  if (const auto found = FindOwnTopics(); !found) {
    Close();
    return std::unexpected(found.error());
  }
  return OpenedSink{.identity = *std::move(cluster)};
}

// Only once: what becomes of them later shows when they are written to.
Result<void> KafkaSink::FindOwnTopics() {
  if (found_own_topics_) return {};
  for (const std::string& name : options_.own_topics) {
    const auto topic = AddTopic(name, Clock::now());
    if (topic) continue;
    if (topic.error().kind != ErrorKind::kRejected) return std::unexpected(topic.error());
    return Fail(ErrorKind::kConfiguration, "the relay's own topics: {}", topic.error().message);
  }
  found_own_topics_ = true;
  return {};
}

void KafkaSink::Close() {
  std::unique_ptr<Producer> closing;
  {
    std::unique_lock lock(mutex_);
    if (!producer_) return;
    swapping_ = true;
    producer_->reader.Wake();
    changed_.wait(lock, [this] { return !polling_; });
    closing = std::move(producer_);
    swapping_ = false;
  }
  limits_ = closing->reader.limits();
  // Without it librdkafka may go on sending what is queued while its threads come to an end.
  rd_kafka_purge(closing->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

Result<PublishOutcome> KafkaSink::Publish(const Message& message, DeliveryId id) {
  auto outcome = TryPublish(message, id);
  if (!outcome || *outcome != PublishOutcome::kFull) return outcome;
  // Tried once more after this count was read, so that WaitForRoom() misses no room.
  full_at_room_count_ = RoomCount();
  return TryPublish(message, id);
}

Result<PublishOutcome> KafkaSink::TryPublish(const Message& message, DeliveryId id) {
  if (!producer_ || producer_->reader.failed()) return RefuseAll();
  const auto now = Clock::now();
  const auto topic = FindTopic(message.topic, now);
  if (!topic) return std::unexpected(topic.error());
  const auto number = ChoosePartition(message, id, **topic);
  if (!number) return std::unexpected(number.error());
  auto& partition = (*topic)->partitions[static_cast<std::size_t>(*number)];
  if (!producer_->gate.TryEnter(partition, id, now)) return PublishOutcome::kFull;
  const ErrorHandle error =
      Produce(producer_->client.get(), (*topic)->handle.get(), *number, message, id);
  if (!error) return PublishOutcome::kAccepted;
  producer_->gate.TakeBack(partition, id);
  if (rd_kafka_error_is_fatal(error.get()) != 0) return RefuseAll();
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return PublishOutcome::kFull;
  // The next attempt asks the cluster anew what has become of the topic.
  (*topic)->looked_up = kNever;
  return std::unexpected(Judge(message, code));
}

void KafkaSink::WaitForRoom(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] {
    return room_count_ != full_at_room_count_ || !producer_ || producer_->lost;
  });
}

void KafkaSink::Poll(std::chrono::milliseconds timeout, DeliveryReports& reports) {
  Producer* producer = BeginPoll(timeout);
  if (producer == nullptr) return;
  const bool made_room = producer->reader.Read(timeout, reports);
  EndPoll(made_room);
}

void KafkaSink::Wake() {
  const std::scoped_lock lock(mutex_);
  woken_ = true;
  if (producer_) producer_->reader.Wake();
  changed_.notify_all();
}

KafkaSink::Producer* KafkaSink::BeginPoll(std::chrono::milliseconds& timeout) {
  const auto is_open = [this] { return producer_ && !producer_->lost && !swapping_; };
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock(mutex_);
  if (producer_ && producer_->reader.failed()) {
    // The caller comes back, so it has seen to the reports of the last time.
    producer_->lost = true;
    changed_.notify_all();
  }
  changed_.wait_until(lock, deadline, [&] { return woken_ || is_open(); });
  if (std::exchange(woken_, false)) timeout = std::chrono::milliseconds(0);
  if (!is_open()) return nullptr;
  polling_ = true;
  return producer_.get();
}

void KafkaSink::EndPoll(bool made_room) {
  const std::scoped_lock lock(mutex_);
  polling_ = false;
  if (made_room) ++room_count_;
  if (made_room || swapping_) changed_.notify_all();
}

// Until Poll() has told which message failed and why, the caller must not give the producer up.
Result<PublishOutcome> KafkaSink::RefuseAll() {
  if (!producer_ || producer_->lost) {
    return Fail(ErrorKind::kProducerLost, "the kafka producer is lost or not open");
  }
  return PublishOutcome::kFull;
}

Result<KafkaSink::Topic*> KafkaSink::FindTopic(std::string_view name, Clock::time_point now) {
  const auto found = producer_->topics.find(name);
  if (found == producer_->topics.end()) return AddTopic(name, now);
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

Result<KafkaSink::Topic*> KafkaSink::AddTopic(std::string_view name, Clock::time_point now) {
  const bool is_own = std::ranges::find(options_.own_topics, name) != options_.own_topics.end();
  static const std::vector<std::string> kAny;
  const auto allowed =
      CheckTopicName(name, is_own ? kAny : options_.allowed_topics, options_.denied_topics);
  if (!allowed) return std::unexpected(allowed.error());
  std::string key(name);
  Topic topic;
  topic.handle.reset(rd_kafka_topic_new(producer_->client.get(), key.c_str(), nullptr));
  if (!topic.handle) {
    return Fail(ErrorKind::kRejected, "topic {}: {}", name, Describe(rd_kafka_last_error()));
  }
  const auto count = CountPartitions(topic);
  if (!count) return std::unexpected(count.error());
  topic.partitions.resize(static_cast<std::size_t>(*count));
  topic.looked_up = now;
  if (producer_->topics.size() >= kTopicsMax) producer_->topics.clear();
  return &producer_->topics.insert_or_assign(std::move(key), std::move(topic)).first->second;
}

Result<std::int32_t> KafkaSink::CountPartitions(const Topic& topic) {
  const auto metadata =
      FetchTopicMetadata(producer_->client.get(), topic.handle.get(), options_.topic_timeout);
  if (!metadata) return std::unexpected(metadata.error());
  if (*metadata) return (*metadata)->partition_count;
  if (options_.create_topics) return CreateMissing(topic);
  const char* name = rd_kafka_topic_name(topic.handle.get());
  return Fail(ErrorKind::kRejected, "topic {} does not exist HINT: {}", name,
              CreateCommand(options_, name,
                            CountBrokers(producer_->client.get(), options_.topic_timeout)));
}

Result<std::int32_t> KafkaSink::CreateMissing(const Topic& topic) {
  rd_kafka_t* client = producer_->client.get();
  const std::string name = rd_kafka_topic_name(topic.handle.get());
  const auto deadline = std::chrono::steady_clock::now() + options_.topic_timeout;
  const auto created = CreateTopic(client, name, options_.topic_partitions,
                                   options_.topic_replication, options_.topic_timeout);
  if (!created) return std::unexpected(created.error());
  // A broker may hear of the new topic a little later than the controller that made it.
  while (true) {
    const auto metadata = FetchTopicMetadata(client, topic.handle.get(), options_.topic_timeout);
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

Result<std::int32_t> KafkaSink::ChoosePartition(const Message& message, DeliveryId id,
                                                Topic& topic) {
  if (message.timestamp && message.timestamp->count() < 0) {
    return Fail(ErrorKind::kRejected,
                "topic {}: timestamp {} ms is before 1970, which Kafka does not take",
                message.topic, message.timestamp->count());
  }
  const std::size_t count = topic.partitions.size();
  if (message.partition) return CheckPartition(message, topic);
  if (!message.key) return static_cast<std::int32_t>(id / kMessagesWithoutKeyTogether % count);
  return rd_kafka_msg_partitioner_murmur2(topic.handle.get(), Address(*message.key),
                                          message.key->size(), static_cast<std::int32_t>(count),
                                          nullptr, nullptr);
}

Result<std::int32_t> KafkaSink::CheckPartition(const Message& message, Topic& topic) {
  const auto is_there = [&] {
    return *message.partition >= 0 &&
           static_cast<std::size_t>(*message.partition) < topic.partitions.size();
  };
  if (is_there()) return *message.partition;
  const auto count = CountPartitions(topic);  // The topic may have got more of them.
  if (!count) return std::unexpected(count.error());
  topic.partitions.resize(static_cast<std::size_t>(*count));
  if (is_there()) return *message.partition;
  return Fail(ErrorKind::kRejected,
              "topic {}: there is no partition {}, it has {} HINT: kafka-topics.sh "
              "--bootstrap-server {} --alter --topic {} --partitions N",
              message.topic, *message.partition, *count, BootstrapServers(options_.properties),
              message.topic);
}

std::uint64_t KafkaSink::RoomCount() {
  const std::scoped_lock lock(mutex_);
  return room_count_;
}

}  // namespace outboxd::sinks
