#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/service/clock.h"
#include "sinks/sink.h"

namespace outboxd {

// Stands still until it is moved.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return now_; }
  [[nodiscard]] std::uint64_t WallMicroseconds() const override {
    const auto moved = std::chrono::duration_cast<std::chrono::microseconds>(now_ - TimePoint());
    return 1'700'000'000'000'000 + static_cast<std::uint64_t>(moved.count());
  }
  void Move(std::chrono::milliseconds by) { now_ += by; }

 private:
  TimePoint now_{};
};

// Keeps what is published; the test acknowledges, refuses or loses it.
class FakeSink : public sinks::Sink {
 public:
  struct Sent {
    sinks::DeliveryId id;
    std::string topic, key, value;
  };

  sinks::Result<sinks::OpenedSink> Open(std::chrono::milliseconds) override {
    ++opened;
    if (open_error) return std::unexpected(*open_error);
    in_flight.clear();
    reports_.Clear();
    return sinks::OpenedSink{.identity = identity};
  }
  sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                               sinks::DeliveryId id) override {
    if (publish_error) return std::unexpected(*publish_error);
    if (std::ranges::find(refused_topics, message.topic) != refused_topics.end()) {
      return sinks::Fail(sinks::ErrorKind::kRejected, "refused at once");
    }
    if (in_flight.size() >= room) return sinks::PublishOutcome::kFull;
    in_flight.push_back({id, std::string(message.topic), std::string(message.key.value_or("")),
                         std::string(message.value.value_or(""))});
    return sinks::PublishOutcome::kAccepted;
  }
  void WaitForRoom(std::chrono::milliseconds) override {}
  void Poll(std::chrono::milliseconds, sinks::DeliveryReports& reports) override {
    reports = std::exchange(reports_, {});
  }
  void Wake() override {}
  void Close() override { ++closed; }

  // Acknowledges the oldest message in flight.
  void Acknowledge() {
    delivered.push_back(in_flight.front());
    reports_.delivered.push_back(in_flight.front().id);
    in_flight.pop_front();
  }
  void AcknowledgeAll() {
    while (!in_flight.empty()) Acknowledge();
  }
  // Refuses the oldest message in flight; the producer is lost with it.
  void Refuse(const std::string& reason) {
    reports_.failed.push_back({in_flight.front().id, {sinks::ErrorKind::kRejected, reason}});
    Lose("refused");
  }
  void Complain(const std::string& text) { reports_.complaint = text; }
  void Lose(const std::string& reason) {
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

 private:
  sinks::DeliveryReports reports_;
};

}  // namespace outboxd
