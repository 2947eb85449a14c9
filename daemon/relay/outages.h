#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "daemon/checkpoint/relay_status.h"
#include "daemon/relay/clock.h"

namespace outboxd {

// Whether the two sides of a relay answer, as those notice who talk to them. Any thread.
class Outages {
 public:
  // `clock` is borrowed.
  explicit Outages(const Clock& clock) : clock_(clock) {}

  void SourceFails(const std::string& reason) { Fails(source_, reason); }
  void SourceAnswers() { Answers(source_); }
  void SinkFails(const std::string& reason) { Fails(sink_, reason); }
  void SinkAnswers() { Answers(sink_); }
  // It is open and takes messages, but acknowledges none.
  void SinkIsSilent(const std::string& reason) { Fails(silence_, reason); }
  void SinkAcknowledges() { Answers(silence_); }

  [[nodiscard]] std::optional<Outage> source() const { return Copy(source_); }
  [[nodiscard]] std::optional<Outage> sink() const {
    auto outage = Copy(sink_);
    return outage ? outage : Copy(silence_);
  }

 private:
  void Fails(std::optional<Outage>& side, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (!side) side.emplace().since_us = clock_.WallMicroseconds();
    side->reason = reason;
  }
  void Answers(std::optional<Outage>& side) {
    const std::lock_guard lock(mutex_);
    side.reset();
  }
  [[nodiscard]] std::optional<Outage> Copy(const std::optional<Outage>& side) const {
    const std::lock_guard lock(mutex_);
    return side;
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<Outage> source_, sink_, silence_;
};

}  // namespace outboxd
