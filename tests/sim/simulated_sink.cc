#include "tests/sim/simulated_sink.h"

#include <algorithm>
#include <utility>

namespace outboxd::sim {

using sinks::ErrorKind;
using sinks::PublishOutcome;

sinks::Result<sinks::OpenedSink> SimulatedSink::Open(std::chrono::milliseconds) {
  faults_.Yield("opening the sink");
  Drop();
  if (faults_.Strike(faults_.rates().sink_open)) {
    faults_.Note("sink: Open fails");
    return Fail(ErrorKind::kUnreachable, "injected");
  }
  faults_.Note("sink: opened");
  is_open_ = true;
  return sinks::OpenedSink{.identity = "cluster"};
}

sinks::Result<PublishOutcome> SimulatedSink::Publish(const sinks::Message& message,
                                                     sinks::DeliveryId id) {
  faults_.Yield("publishing");
  const std::size_t index = checker_.OnPublish(message);
  const bool is_dead = message.topic == kDeadLetterTopic;
  if (!is_open_ || is_loss_told_) return Fail(ErrorKind::kProducerLost, "not open");
  if (lost_) {
    if (faults_.random().OneIn(4)) return std::unexpected(*lost_);
    return PublishOutcome::kFull;
  }
  if (refused_for_room_ != kNone && refused_for_room_ != index) {
    throw Violation{fmt::format("event {} comes where {} found no room", index, refused_for_room_)};
  }
  if (faults_.Strike(faults_.rates().unreachable_topic)) {
    return Fail(ErrorKind::kUnreachable, "injected");
  }
  if (FaultOf({id, index, is_dead}) == Event::Fault::kRefusedAtOnce) {
    refused_for_room_ = kNone;
    history_.events[index].was_refused = true;
    return Fail(ErrorKind::kRejected, "event {} is refused", index);
  }
  const bool is_full = in_flight() >= room_;
  refused_for_room_ = is_full ? index : kNone;
  if (is_full) return PublishOutcome::kFull;
  faults_.Note("sink: takes {}event {} as delivery {}", is_dead ? "the dead letter of " : "", index,
               id);
  const std::size_t partition = is_dead ? kPartitions : PartitionOf(history_.events[index]);
  partitions_[partition].on_their_way.push_back(
      {id, index, is_dead, HistoryChecker::RoadOf(message)});
  return PublishOutcome::kAccepted;
}

Event::Fault SimulatedSink::FaultOf(const Sent& sent) const {
  const Event& event = history_.events[sent.event];
  return sent.is_dead ? event.dead_fault : event.fault;
}

void SimulatedSink::Append(const Sent& sent) {
  if (sent.is_dead) {
    checker_.OnAppendDead(sent.event);
  } else {
    checker_.OnAppend(sent.event, sent.road);
  }
}

std::size_t SimulatedSink::in_flight() const {
  std::size_t count = 0;
  for (const Partition& partition : partitions_) {
    count += partition.on_their_way.size() + partition.unacknowledged.size();
  }
  return count;
}

void SimulatedSink::Poll(std::chrono::milliseconds, sinks::DeliveryReports& reports) {
  faults_.Yield("polling");
  for (const std::size_t event : reported_) checker_.OnAcknowledge(event);
  reported_.clear();
  reports.delivered.insert(reports.delivered.end(), reports_.delivered.begin(),
                           reports_.delivered.end());
  reports.failed.insert(reports.failed.end(), reports_.failed.begin(), reports_.failed.end());
  reports_.Clear();
  // The loss comes with the failure or later.
  if (!lost_ || is_loss_told_ || faults_.random().OneIn(3)) return;
  reports.lost = lost_;
  is_loss_told_ = true;
}

void SimulatedSink::Arrive(Partition& partition, std::size_t count) {
  for (; count > 0 && !partition.on_their_way.empty() && !lost_; --count) {
    const Sent sent = partition.on_their_way.front();
    if (FaultOf(sent) == Event::Fault::kRefusedByBroker) {
      faults_.Note("broker: refuses {}event {}", sent.is_dead ? "the dead letter of " : "",
                   sent.event);
      history_.events[sent.event].was_refused = true;
      reports_.failed.push_back({sent.id, {ErrorKind::kRejected, "refused by the broker"}});
      Lose("refused");
      return;
    }
    partition.on_their_way.pop_front();
    Append(sent);
    partition.unacknowledged.push_back(sent);
  }
}

void SimulatedSink::Acknowledge(Partition& partition, std::size_t count) {
  for (; count > 0 && !partition.unacknowledged.empty(); --count) {
    reports_.delivered.push_back(partition.unacknowledged.front().id);
    reported_.push_back(partition.unacknowledged.front().event);
    partition.unacknowledged.pop_front();
  }
}

// Of what is on its way a first part of each partition may still arrive, though nobody is told.
void SimulatedSink::ArriveSome() {
  for (Partition& partition : partitions_) {
    std::size_t count = faults_.random().Below(partition.on_their_way.size() + 1);
    for (; count > 0; --count) {
      const Sent sent = partition.on_their_way.front();
      if (FaultOf(sent) == Event::Fault::kRefusedByBroker) break;
      partition.on_their_way.pop_front();
      Append(sent);
      partition.unacknowledged.push_back(sent);
    }
    partition.on_their_way.clear();
  }
}

void SimulatedSink::Lose(const std::string& reason) {
  faults_.Note("sink: the producer is lost");
  checker_.AllowRepeats();
  lost_ = sinks::Error{ErrorKind::kProducerLost, reason};
  ArriveSome();
  for (Partition& partition : partitions_) {
    Acknowledge(partition, faults_.random().Below(partition.unacknowledged.size() + 1));
    partition.unacknowledged.clear();
  }
}

void SimulatedSink::Step() {
  if (!is_open_ || lost_) return;
  if (faults_.Strike(faults_.rates().lost_producer)) return Lose("injected");
  Partition& partition = partitions_[faults_.random().Below(partitions_.size())];
  if (faults_.random().OneIn(2)) {
    Arrive(partition, 1 + faults_.random().Below(4));
  } else {
    Acknowledge(partition, 1 + faults_.random().Below(4));
  }
}

void SimulatedSink::Drop() {
  // Of what is acknowledged by now nobody may have been told.
  if (in_flight() > 0 || !reports_.delivered.empty()) checker_.AllowRepeats();
  if (is_open_ && !lost_) ArriveSome();
  for (Partition& partition : partitions_) partition = {};
  reports_.Clear();
  reported_.clear();
  lost_.reset();
  is_loss_told_ = false;
  is_open_ = false;
  refused_for_room_ = kNone;
}

}  // namespace outboxd::sim
