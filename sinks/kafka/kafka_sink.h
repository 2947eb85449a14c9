#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "sinks/kafka/kafka_properties.h"
#include "sinks/kafka/kafka_sink_options.h"
#include "sinks/sink.h"

namespace outboxd::sinks {

// Delivers to Kafka through an idempotent producer with acks=all that never gives up on a message
// by time. Order within a partition: no message overtakes an earlier one. librdkafka answers a
// refusal by the broker with a fatal error (enable.gapless.guarantee); any other failed delivery
// loses the producer as well, because librdkafka would go on with the messages behind it (a
// partition that vanished from the metadata, for one), and does so until Poll() has seen the
// failure. So every failed delivery ends in `lost`, and `failed` names the messages that the broker
// refused: the bad events. The first message of a producer to a partition goes alone, because
// brokers keep the order only behind an accepted one (kafka_partition_gate.h); until its
// acknowledgement further ones to that partition are kFull.
//
// Partitions: a key goes where murmur2 puts it, as with Java clients and Debezium; messages without
// a key go to one partition after the other.
//
// A broker refuses whole batches, and before Kafka 2.4 or librdkafka 2.4 it does not say for which
// record. Such a batch of several is lost without a bad event: the next producer sends smaller
// batches, until the one message stands alone.
class KafkaSink final : public Sink {
 public:
  // kConfiguration: a property that is refused, unknown or wrong. Opens no connection.
  [[nodiscard]] static Result<std::unique_ptr<KafkaSink>> Create(KafkaSinkOptions options);

  ~KafkaSink() override;

  // A producer that was given secrets or certificates in files should always give way: the files
  // may have changed.
  [[nodiscard]] Result<bool> Configure(SinkRequest request) override;

  // Secrets are read again. kDenied: wrong credentials. kUnreachable: no broker answered in time.
  // kConfiguration: a file with a secret or a certificate is gone or wrong; or, the first time, one
  // of own_topics is not there or may not be seen.
  [[nodiscard]] Result<OpenedSink> Open(std::chrono::milliseconds timeout) override;

  // Where it has to look for the topic it waits, at most three times topic_timeout: for the first
  // message to it, for each further one while it is missing or refused, and every five minutes.
  [[nodiscard]] Result<PublishOutcome> Publish(const Message& message, DeliveryId id) override;

  void WaitForRoom(std::chrono::milliseconds timeout) override;

  // After a failed delivery it waits up to a second for what is still on its way, so that `failed`
  // is complete and as little as possible is repeated.
  void Poll(std::chrono::milliseconds timeout, DeliveryReports& reports) override;

  void Wake() override;
  void Close() override;

 private:
  struct Producer;

  explicit KafkaSink(KafkaSinkOptions options);

  // Acknowledgement thread: takes and gives back the right to use the producer. None: there is
  // nothing to poll, and `timeout` has passed or Wake() was called.
  [[nodiscard]] Producer* BeginPoll(std::chrono::milliseconds& timeout);
  void EndPoll(bool made_room);

  // Reader thread.
  [[nodiscard]] Result<PublishOutcome> TryPublish(const Message& message, DeliveryId id);
  [[nodiscard]] Result<PublishOutcome> RefuseAll();
  [[nodiscard]] Result<void> FindOwnTopics();
  [[nodiscard]] std::uint64_t RoomCount();

  KafkaSinkOptions options_;  // Written by the reader thread, under mutex_.

  std::mutex mutex_;
  std::condition_variable changed_;
  // Replaced by the reader thread, under mutex_ and not while polling_; so that thread may use it
  // without the mutex, and the acknowledgement thread between BeginPoll() and EndPoll().
  std::unique_ptr<Producer> producer_;
  // Guarded by mutex_.
  bool polling_ = false;   // The acknowledgement thread uses the producer.
  bool swapping_ = false;  // The reader thread waits for it to let go.
  bool woken_ = false;
  std::optional<KafkaSinkOptions> next_options_;  // From the next Open() on; none: the same.
  std::uint64_t room_count_ = 0;                  // How often reports have made room in the queue.

  // Reader thread only.
  std::uint64_t full_at_room_count_ = 0;  // room_count_ before the queue was last found full.
  BatchLimits limits_;                    // Learnt from refusals by earlier producers.
  bool found_own_topics_ = false;
};

}  // namespace outboxd::sinks
