#include "sinks/kafka/kafka_partition_gate.h"

namespace outboxd::sinks {
namespace {

// A broker forgets a producer that is idle for producer.id.expiration.ms, by default a day.
constexpr std::chrono::minutes kRemembered{30};

}  // namespace

bool PartitionGate::TryEnter(Partition& partition, DeliveryId id, Clock::time_point now) {
  using State = Partition::State;
  if (partition.state == State::kFirstInFlight) {
    if (IsInFlight(partition.first)) return false;
    partition.state = State::kKnown;
  } else if (partition.state == State::kUnknown || now - partition.last_used > kRemembered) {
    const std::scoped_lock lock(mutex_);
    first_ids_.insert(id);
    first_count_ = first_ids_.size();
    partition.state = State::kFirstInFlight;
    partition.first = id;
  }
  partition.last_used = now;
  return true;
}

void PartitionGate::TakeBack(Partition& partition, DeliveryId id) {
  if (partition.state != Partition::State::kFirstInFlight || partition.first != id) return;
  const std::scoped_lock lock(mutex_);
  first_ids_.erase(id);
  first_count_ = first_ids_.size();
  partition.state = Partition::State::kUnknown;
}

void PartitionGate::Acknowledge(std::span<const DeliveryId> ids) {
  if (first_count_ == 0) return;
  const std::scoped_lock lock(mutex_);
  for (const DeliveryId id : ids) first_ids_.erase(id);
  first_count_ = first_ids_.size();
}

bool PartitionGate::IsInFlight(DeliveryId id) {
  const std::scoped_lock lock(mutex_);
  return first_ids_.contains(id);
}

}  // namespace outboxd::sinks
