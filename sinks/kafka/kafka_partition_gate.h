#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <span>
#include <unordered_set>

#include "sinks/message.h"

namespace outboxd::sinks {

// Lets only one message into a partition until the broker has acknowledged it. Internal to
// sinks/kafka/.
//
// A refused batch leaves a hole in the sequence of an idempotent producer, and the broker refuses
// the batches in flight behind it (OUT_OF_ORDER_SEQUENCE_NUMBER); that is what keeps messages from
// overtaking. But a broker that holds nothing of this producer for the partition takes any first
// sequence number (KIP-360; Apache Kafka, ProducerAppendInfo.checkSequence()): seen with Kafka 4.1
// when the first batch of a new producer is refused, up to four batches behind it are taken.
class PartitionGate {
 public:
  using Clock = std::chrono::steady_clock;

  // The reader thread's view of one partition.
  struct Partition {
    enum class State { kUnknown, kFirstInFlight, kKnown };
    State state = State::kUnknown;
    DeliveryId first = 0;  // kFirstInFlight: the message that is in flight.
    Clock::time_point last_used{};
  };

  // Whether message `id` may go to the partition now; if so it counts as sent. Reader thread.
  [[nodiscard]] bool TryEnter(Partition& partition, DeliveryId id, Clock::time_point now);

  // The message that entered last was not sent after all. Reader thread.
  void TakeBack(Partition& partition, DeliveryId id);

  // Acknowledgement thread.
  void Acknowledge(std::span<const DeliveryId> ids);

 private:
  [[nodiscard]] bool IsInFlight(DeliveryId id);

  std::mutex mutex_;
  std::unordered_set<DeliveryId> first_ids_;  // Guarded by mutex_: what is in flight as the first.
  std::atomic<std::size_t> first_count_ = 0;  // Its size, so that steady work takes no lock.
};

}  // namespace outboxd::sinks
