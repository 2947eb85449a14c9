#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/faults.h"
#include "tests/sim/history_checker.h"
#include "tests/sim/world_sink.h"

namespace outboxd::sim {

// A producer that keeps checkpoints: messages become visible at boundaries, together with the
// checkpoint there, all of them or none. Whether they did the producer may not live to tell.
class KeepingSink final : public WorldSink {
 public:
  // `kept`: what the broker keeps, whatever becomes of processes.
  KeepingSink(HistoryChecker& checker, Faults& faults, std::optional<std::string>& kept)
      : checker_(checker), faults_(faults), kept_(kept) {}

  sinks::Result<sinks::OpenedSink> Open(std::chrono::milliseconds timeout) override;
  sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                               sinks::DeliveryId id) override;
  sinks::Result<sinks::PublishOutcome> AtBoundary(const sinks::Boundary& boundary) override;
  void WaitForRoom(std::chrono::milliseconds) override {}
  void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override;
  void Wake() override {}
  void Close() override { Drop(); }

  void Step() override;
  void Drop() override;

 private:
  struct Sent {
    sinks::DeliveryId id;
    std::size_t event;
    Road road;
  };

  [[nodiscard]] bool is_usable() const { return is_open_ && !lost_; }
  void Lose(const std::string& reason);
  void MakeVisible(const std::string& checkpoint);

  HistoryChecker& checker_;
  Faults& faults_;
  std::optional<std::string>& kept_;

  bool is_open_ = false;
  std::vector<Sent> invisible_;
  std::vector<sinks::DeliveryId> delivered_;  // To be told.
  std::optional<sinks::Error> lost_;          // The same.
};

}  // namespace outboxd::sim
