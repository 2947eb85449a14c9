#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "daemon/error.h"
#include "daemon/service/clock.h"
#include "sinks/sink.h"

namespace outboxd {

// Sends one message at a time and waits for its acknowledgement. Uses both sides of a sink from one
// thread.
class Replayer {
 public:
  // Borrowed; they outlive it.
  Replayer(sinks::Sink& sink, const Clock& clock) : sink_(sink), clock_(clock) {}

  // None: acknowledged. A refusal: it is for good; the next can be sent. An error of ours: it is
  // not known what became of it (kUnreachable), or the configuration is wrong.
  [[nodiscard]] Result<std::optional<sinks::Error>> Send(const sinks::Message& message);

 private:
  enum class Outcome { kAcknowledged, kRefused, kLost };

  Result<Outcome> TrySend(const sinks::Message& message, sinks::Error& trouble);

  sinks::Sink& sink_;
  const Clock& clock_;
  bool is_open_ = false;
  sinks::DeliveryId next_id_ = 0;
  sinks::DeliveryReports reports_;
};

}  // namespace outboxd
