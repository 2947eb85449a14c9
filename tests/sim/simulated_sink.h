#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "tests/sim/faults.h"
#include "tests/sim/history_checker.h"
#include "tests/sim/world_sink.h"

namespace outboxd::sim {

// A producer and its broker, within what the contract of Sink allows: acknowledgements late and
// out of order between partitions, a producer that is lost while messages are on their way (which
// may then be there or not), messages that are refused at once or later.
class SimulatedSink final : public WorldSink {
 public:
  SimulatedSink(History& history, HistoryChecker& checker, Faults& faults, std::size_t room)
      : history_(history), checker_(checker), faults_(faults), room_(room) {}

  sinks::Result<sinks::OpenedSink> Open(std::chrono::milliseconds timeout) override;
  sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                               sinks::DeliveryId id) override;
  void WaitForRoom(std::chrono::milliseconds) override {}
  void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override;
  void Wake() override {}
  void Close() override { Drop(); }

  // Some messages arrive, or some acknowledgements come back.
  void Step() override;
  void Drop() override;

 private:
  struct Sent {
    sinks::DeliveryId id;
    std::size_t event;
    bool is_dead;  // Its dead letter.
    Road road = Road::kStream;
  };
  struct Partition {
    std::deque<Sent> on_their_way;
    std::deque<Sent> unacknowledged;  // The broker has them.
  };

  [[nodiscard]] Event::Fault FaultOf(const Sent& sent) const;
  void Append(const Sent& sent);
  void Arrive(Partition& partition, std::size_t count);
  void Acknowledge(Partition& partition, std::size_t count);
  void Lose(const std::string& reason);
  void ArriveSome();
  [[nodiscard]] std::size_t in_flight() const;

  History& history_;
  HistoryChecker& checker_;
  Faults& faults_;
  const std::size_t room_;

  bool is_open_ = false;
  std::array<Partition, kPartitions + 1> partitions_;  // The last one is that of dead letters.
  sinks::DeliveryReports reports_;
  std::deque<std::size_t> reported_;  // The events of reports_.delivered.
  std::optional<sinks::Error> lost_;  // To be told, or told already.
  bool is_loss_told_ = false;
  std::size_t refused_for_room_ = kNone;  // The event that has to come next.
};

}  // namespace outboxd::sim
