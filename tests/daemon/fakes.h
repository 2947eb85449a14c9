#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/service/clock.h"
#include "sinks/sink.h"
#include "sinks/sink_words.h"

namespace outboxd {

// Stands still until it is moved, by one thread.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return now_.load(); }
  [[nodiscard]] std::uint64_t WallMicroseconds() const override {
    const auto moved = std::chrono::duration_cast<std::chrono::microseconds>(Now() - TimePoint());
    return 1'700'000'000'000'000 + static_cast<std::uint64_t>(moved.count());
  }
  void Move(std::chrono::milliseconds by) { now_.store(Now() + by); }

 private:
  std::atomic<TimePoint> now_ = TimePoint();
};

// Keeps what is published; the test acknowledges, refuses or loses it. Its functions may be called
// by two threads, as those of a sink; its members are for one, or for a time when none calls.
class FakeSink : public sinks::Sink {
 public:
  struct Sent {
    sinks::DeliveryId id;
    std::string topic, key, value;
  };

  static constexpr sinks::SinkWords kWords{.destination = "to Kafka",
                                           .receiver = "Kafka",
                                           .identity = "Kafka cluster",
                                           .address_key = "kafka.bootstrap.servers",
                                           .keep_advice = "see that Kafka keeps them"};

  sinks::Result<sinks::OpenedSink> Open(std::chrono::milliseconds) override {
    ++opened;
    if (at_open) at_open();
    const std::lock_guard lock(mutex_);
    if (open_error) return std::unexpected(*open_error);
    in_flight.clear();
    reports_.Clear();
    return sinks::OpenedSink{
        .identity = identity, .keeps_checkpoints = keeps_checkpoints, .checkpoint = kept};
  }
  sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                               sinks::DeliveryId id) override {
    const std::lock_guard lock(mutex_);
    if (publish_error) return std::unexpected(*publish_error);
    if (std::ranges::find(refused_topics, message.topic) != refused_topics.end()) {
      return Fail(sinks::ErrorKind::kRejected, "refused at once");
    }
    if (in_flight.size() >= room) return sinks::PublishOutcome::kFull;
    in_flight.push_back({id, std::string(message.topic), std::string(message.key.value_or("")),
                         std::string(message.value.value_or(""))});
    if (at_publish) at_publish();
    return sinks::PublishOutcome::kAccepted;
  }
  void WaitForRoom(std::chrono::milliseconds) override {}
  void Poll(std::chrono::milliseconds, sinks::DeliveryReports& reports) override {
    const std::lock_guard lock(mutex_);
    reports = std::exchange(reports_, {});
  }
  void Wake() override {}
  void Close() override {
    const std::lock_guard lock(mutex_);
    ++closed;
  }

  // Acknowledges the oldest message in flight.
  void Acknowledge() {
    const std::lock_guard lock(mutex_);
    delivered.push_back(in_flight.front());
    reports_.delivered.push_back(in_flight.front().id);
    in_flight.pop_front();
  }
  void AcknowledgeAll() {
    const std::lock_guard lock(mutex_);
    while (!in_flight.empty()) Acknowledge();
  }
  // Refuses the oldest message in flight; the producer is lost with it.
  void Refuse(const std::string& reason, const std::string& hint = {}) {
    const std::lock_guard lock(mutex_);
    reports_.failed.push_back({in_flight.front().id, {sinks::ErrorKind::kRejected, reason, hint}});
    Lose("refused");
  }
  void Complain(const std::string& text) {
    const std::lock_guard lock(mutex_);
    reports_.complaint = text;
  }
  void Lose(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    reports_.lost = sinks::Error{sinks::ErrorKind::kProducerLost, reason};
    in_flight.clear();
  }

  std::deque<Sent> in_flight;
  std::vector<Sent> delivered;
  std::string identity = "cluster";
  std::size_t room = 1000;
  int opened = 0;
  int closed = 0;
  std::optional<sinks::Error> open_error;
  std::optional<sinks::Error> publish_error;
  std::vector<std::string> refused_topics;
  bool keeps_checkpoints = false;
  std::optional<std::string> kept;            // The checkpoint that became visible last.
  std::function<void()> at_open, at_publish;  // In the calling thread.

 private:
  std::recursive_mutex mutex_;
  sinks::DeliveryReports reports_;
};

}  // namespace outboxd
