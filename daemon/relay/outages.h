#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/service/clock.h"
#include "daemon/status/relay_status.h"

namespace outboxd {

// Whether the two sides of a relay answer, and its state directory takes what has to stand there,
// as those notice who talk to them. Any thread.
class Outages {
 public:
  // `clock` is borrowed.
  explicit Outages(const Clock& clock) : clock_(clock) {}

  // `since_us`: by the wall clock; none: now, unless it fails already.
  void SourceFails(const std::string& reason, std::optional<std::uint64_t> since_us = {}) {
    Count(&FailureCounts::source_failed);
    Fails(source_, reason, since_us);
  }
  // It is open.
  void SourceAnswers() {
    Count(&FailureCounts::source_opened);
    Answers(source_);
  }
  // It answers, but is cut off from its group, so that nothing new of that comes.
  void SourceIsCutOff(const std::string& reason) { Fails(cut_off_, reason); }
  void SourceIsNotCutOff() { Answers(cut_off_); }
  // What comes next does not fit into memory or into the spill directory.
  void HasNoRoom(const std::string& reason) { Fails(room_, reason); }
  void HasRoom() { Answers(room_); }
  void SinkFails(const std::string& reason) {
    Count(&FailureCounts::sink_unreachable);
    Fails(sink_, reason);
  }
  void SinkAnswers() { Answers(sink_); }
  // It is open and takes messages, but acknowledges none.
  void SinkIsSilent(const std::string& reason) {
    if (Fails(silence_, reason)) Count(&FailureCounts::sink_silent);
  }
  void SinkAcknowledges() { Answers(silence_); }

  void CheckpointFails(const std::string& reason) {
    Clock::TimePoint::rep none = kNever;
    checkpoint_failed_at_.compare_exchange_strong(none, clock_.Now().time_since_epoch().count());
    Fails(checkpoint_, reason);
  }
  void CheckpointIsStored() {
    checkpoint_failed_at_.store(kNever);
    Answers(checkpoint_);
  }
  // What else has to be recorded: the event it holds at, an alarm, what an operator let pass.
  void RecordFails(const std::string& reason) { Fails(record_, reason); }
  void RecordIsStored() { Answers(record_); }

  // Whether no checkpoint could be stored for so long. Takes no lock.
  [[nodiscard]] bool CheckpointFailsFor(std::chrono::milliseconds time) const {
    const Clock::TimePoint::rep at = checkpoint_failed_at_.load(std::memory_order_relaxed);
    return at != kNever && clock_.Now() - Clock::TimePoint(Clock::TimePoint::duration(at)) >= time;
  }

  // What else goes wrong is counted here, too.
  void Count(std::uint64_t FailureCounts::* what) {
    const std::lock_guard lock(mutex_);
    ++(counts_.*what);
  }
  [[nodiscard]] FailureCounts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

  [[nodiscard]] std::optional<Outage> state() const {
    auto outage = Copy(checkpoint_);
    return outage ? outage : Copy(record_);
  }
  [[nodiscard]] std::optional<Outage> source() const { return Copy(source_); }
  [[nodiscard]] std::optional<Outage> cut_off() const { return Copy(cut_off_); }
  [[nodiscard]] std::optional<Outage> room() const { return Copy(room_); }
  [[nodiscard]] std::optional<Outage> sink() const {
    auto outage = Copy(sink_);
    return outage ? outage : Copy(silence_);
  }

 private:
  // Whether it did not before.
  bool Fails(std::optional<Outage>& side, const std::string& reason,
             std::optional<std::uint64_t> since_us = {}) {
    const std::lock_guard lock(mutex_);
    const bool is_new = !side;
    if (is_new) side.emplace().since_us = since_us.value_or(clock_.WallMicroseconds());
    side->reason = reason;
    return is_new;
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
  std::optional<Outage> source_, cut_off_, room_, sink_, silence_, checkpoint_, record_;
  FailureCounts counts_;

  static constexpr Clock::TimePoint::rep kNever = std::numeric_limits<Clock::TimePoint::rep>::min();
  std::atomic<Clock::TimePoint::rep> checkpoint_failed_at_ = kNever;
};

}  // namespace outboxd
