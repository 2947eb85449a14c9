#include "sinks/kafka/kafka_sink.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_delivery_reader.h"
#include "sinks/kafka/kafka_handles.h"
#include "sinks/kafka/kafka_partition_gate.h"
#include "sinks/kafka/kafka_record.h"
#include "sinks/kafka/kafka_settings.h"
#include "sinks/kafka/kafka_topic_cache.h"

namespace outboxd::sinks {

struct KafkaSink::Producer {
  Producer(std::unique_ptr<ClientHost> client_host, ClientHandle client_handle,
           QueueHandle event_queue, const KafkaSinkOptions& options, BatchLimits limits)
      : host(std::move(client_host)),
        client(std::move(client_handle)),
        events(std::move(event_queue)),
        reader(client.get(), events.get(), gate, *host, limits),
        topics(client.get(), options) {}

  std::unique_ptr<ClientHost> host;
  ClientHandle client;
  QueueHandle events;
  PartitionGate gate;
  DeliveryReader reader;

  // Reader thread only.
  TopicCache topics;

  // Poll() has reported the loss and the caller has come back since. Written under the sink's
  // mutex_.
  std::atomic<bool> lost = false;
};

Result<std::unique_ptr<KafkaSink>> KafkaSink::Create(KafkaSinkOptions options) {
  if (const auto valid = ValidateKafkaProperties(options.properties); !valid) {
    return std::unexpected(valid.error());
  }
  return std::unique_ptr<KafkaSink>(new KafkaSink(std::move(options)));
}

KafkaSink::KafkaSink(KafkaSinkOptions options) : options_(std::move(options)) {}

KafkaSink::~KafkaSink() { Close(); }

Result<bool> KafkaSink::Configure(SinkRequest request) {
  auto options = KafkaSinkOptionsOf(std::move(request));
  if (!options) return std::unexpected(options.error());
  if (const auto valid = ValidateKafkaProperties(options->properties); !valid) {
    return std::unexpected(valid.error());
  }
  const bool reads_files = std::ranges::any_of(
      options->properties, [](const auto& property) { return NamesFile(property.first); });
  const std::scoped_lock lock(mutex_);
  const KafkaSinkOptions& former = next_options_ ? *next_options_ : options_;
  const bool is_other = former.properties != options->properties;
  next_options_ = *std::move(options);
  return is_other || reads_files;
}

Result<OpenedSink> KafkaSink::Open(std::chrono::milliseconds timeout) {
  Close();
  {
    const std::scoped_lock lock(mutex_);
    if (next_options_) options_ = *std::exchange(next_options_, {});
  }
  auto configuration = BuildConfiguration(options_.properties, limits_);
  if (!configuration) return std::unexpected(configuration.error());
  auto host = std::make_unique<ClientHost>(options_.log);
  auto client = NewClient(*std::move(configuration), *host);
  if (!client) return std::unexpected(client.error());
  QueueHandle events(rd_kafka_queue_get_main(client->get()));
  auto cluster = WaitForCluster(client->get(), events.get(), BootstrapServers(options_.properties),
                                timeout, options_.log);
  if (!cluster) return std::unexpected(cluster.error());
  auto producer = std::make_unique<Producer>(std::move(host), *std::move(client), std::move(events),
                                             options_, limits_);
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
    const auto topic = producer_->topics.Find(name, TopicCache::Clock::now());
    if (topic) continue;
    if (topic.error().kind != ErrorKind::kRejected) return std::unexpected(topic.error());
    return Fail(topic.error().As(ErrorKind::kConfiguration), "the relay's own topics");
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
  const auto now = TopicCache::Clock::now();
  const auto topic = producer_->topics.Find(message.topic, now);
  if (!topic) return std::unexpected(topic.error());
  if (const auto good = CheckRecord(message); !good) return std::unexpected(good.error());
  const auto number = producer_->topics.ChoosePartition(message, id, **topic);
  if (!number) return std::unexpected(number.error());
  auto& partition = (*topic)->partitions[static_cast<std::size_t>(*number)];
  if (!producer_->gate.TryEnter(partition, id, now)) return PublishOutcome::kFull;
  const ErrorHandle error =
      Produce(producer_->client.get(), (*topic)->handle.get(), *number, message, id);
  if (!error) {
    producer_->reader.CountAccepted(message.key.value_or("").size() +
                                    message.value.value_or("").size());
    return PublishOutcome::kAccepted;
  }
  producer_->gate.TakeBack(partition, id);
  if (rd_kafka_error_is_fatal(error.get()) != 0) return RefuseAll();
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return PublishOutcome::kFull;
  TopicCache::LookUpAgain(**topic);
  return std::unexpected(JudgeProduceError(message, code));
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

std::uint64_t KafkaSink::RoomCount() {
  const std::scoped_lock lock(mutex_);
  return room_count_;
}

}  // namespace outboxd::sinks
