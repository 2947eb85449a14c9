#pragma once

#include <chrono>

#include "daemon/error.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/clock.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/step.h"
#include "sinks/sink.h"

namespace outboxd {

// The one place where a relay's sink is opened, closed and replaced, and where it is judged whether
// it still leads to the cluster that the checkpoint is for. Reader thread only.
class SinkOwner {
 public:
  // All are borrowed. `open_timeout`: how long one try waits for the servers.
  SinkOwner(sinks::Sink& sink, DeliveryTracker& tracker, Liveness& liveness, Outages& outages,
            const Clock& clock,
            std::chrono::milliseconds open_timeout = std::chrono::milliseconds{10'000});

  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] std::chrono::milliseconds open_timeout() const { return open_timeout_; }

  // Tries once; a pause: try again then. What the operator has to mend ends the run at the first
  // time and is waited out later.
  [[nodiscard]] Result<Step> Open();

  // What is in flight is dropped; no report of it comes after this.
  void Close();

  [[nodiscard]] sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                                             sinks::DeliveryId id) {
    return sink_.Publish(message, id);
  }
  void WaitForRoom(std::chrono::milliseconds timeout) { sink_.WaitForRoom(timeout); }

  // After a trouble of deliveries: how long to wait before the sink is opened again.
  [[nodiscard]] Step PauseAfterTrouble();

 private:
  // Constant after construction.
  sinks::Sink& sink_;
  DeliveryTracker& tracker_;
  Liveness& liveness_;
  Outages& outages_;
  const std::chrono::milliseconds open_timeout_;

  bool is_open_ = false;
  bool was_open_ = false;
  BackOff back_off_;
  std::uint64_t delivered_at_trouble_ = 0;
};

}  // namespace outboxd
