#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "daemon/error.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/step.h"
#include "daemon/service/clock.h"
#include "sinks/sink.h"
#include "sinks/sink_words.h"

namespace outboxd {

// The one place where a relay's sink is opened, closed and replaced, and where it is judged whether
// it still leads to the receiver that the checkpoint is for. Reader thread only, but for Poll()
// and is_open().
class SinkOwner {
 public:
  // All are borrowed. `words`: of the sink's family. `open_timeout`: how long one try waits for the
  // servers.
  SinkOwner(sinks::Sink& sink, const sinks::SinkWords& words, Liveness& liveness, Outages& outages,
            const Clock& clock,
            std::chrono::milliseconds open_timeout = std::chrono::milliseconds{10'000});

  // What the sink has to lead to, from the checkpoint; empty: to what is found first.
  void Expect(std::string identity) { identity_ = std::move(identity); }

  // Any thread.
  [[nodiscard]] bool is_open() const { return is_open_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::chrono::milliseconds open_timeout() const { return open_timeout_; }

  // Tries once; a pause: try again then. What the operator has to mend ends the run at the first
  // time and is waited out later. kCheckpoint: it is another one than expected.
  [[nodiscard]] Result<Step> Open();

  // Any thread.
  [[nodiscard]] const sinks::SinkWords& words() const { return words_; }

  // As of the last time it was opened: OpenedSink::identity, whether it keeps checkpoints with the
  // messages, and the one that it keeps.
  [[nodiscard]] const std::string& identity() const { return identity_; }
  [[nodiscard]] bool keeps_checkpoints() const { return keeps_checkpoints_; }
  [[nodiscard]] const std::optional<std::string>& checkpoint() const { return checkpoint_; }

  // What is in flight is dropped; no report of it comes after this.
  void Close();

  [[nodiscard]] sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                                             sinks::DeliveryId id) {
    return sink_.Publish(message, id);
  }
  [[nodiscard]] sinks::Result<sinks::PublishOutcome> AtBoundary(const sinks::Boundary& boundary) {
    return sink_.AtBoundary(boundary);
  }
  void WaitForRoom(std::chrono::milliseconds timeout) { sink_.WaitForRoom(timeout); }
  // Acknowledgement thread.
  void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) {
    sink_.Poll(timeout, reports);
  }

  // After a trouble of deliveries: how long to wait before the sink is opened again. `delivered`:
  // how many messages ever were.
  [[nodiscard]] Step PauseAfterTrouble(std::uint64_t delivered);

 private:
  // Constant after construction.
  sinks::Sink& sink_;
  const sinks::SinkWords& words_;
  Liveness& liveness_;
  Outages& outages_;
  const std::chrono::milliseconds open_timeout_;

  std::atomic<bool> is_open_ = false;
  bool was_open_ = false;
  bool is_told_ = false;  // That it is connected, since it last was not.
  std::string identity_;
  bool keeps_checkpoints_ = false;
  std::optional<std::string> checkpoint_;
  BackOff back_off_;
  std::uint64_t delivered_at_trouble_ = 0;
};

}  // namespace outboxd
