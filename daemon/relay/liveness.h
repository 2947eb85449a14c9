#pragma once

#include <atomic>
#include <chrono>

#include "daemon/service/clock.h"

namespace outboxd {

// Until when the reader thread may be silent without being stuck: it says so before it does
// something that may take long, and the watchdog is fed as long as that is not over.
class Liveness {
 public:
  // `clock` is borrowed.
  explicit Liveness(const Clock& clock) : clock_(clock) {}

  // Reader thread.
  void ExpectAnswerWithin(std::chrono::milliseconds bound) {
    quiet_until_.store((clock_.Now() + bound).time_since_epoch().count());
  }

  // Any thread.
  [[nodiscard]] Clock::TimePoint quiet_until() const {
    return Clock::TimePoint(Clock::TimePoint::duration(quiet_until_.load()));
  }

 private:
  const Clock& clock_;
  std::atomic<Clock::TimePoint::rep> quiet_until_ = 0;
};

}  // namespace outboxd
