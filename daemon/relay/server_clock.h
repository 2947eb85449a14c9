#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "daemon/service/clock.h"

namespace outboxd {

// The time of day by the clock of the server that is read, for the ages of its commits: as it was
// told last, and going on with this machine's steady clock. Until it is told, this machine's time
// of day. Any thread.
class ServerClock {
 public:
  // `clock` is borrowed.
  explicit ServerClock(const Clock& clock) : clock_(clock) {}

  // The server's time of day at `at`, in microseconds since the epoch.
  void Set(std::uint64_t server_us, Clock::TimePoint at) {
    began_us_.store(static_cast<std::int64_t>(server_us) - Microseconds(at));
  }

  // Microseconds since the epoch.
  [[nodiscard]] std::uint64_t Now() const {
    const std::int64_t began_us = began_us_.load(std::memory_order_relaxed);
    if (began_us == kUnknown) return clock_.WallMicroseconds();
    return static_cast<std::uint64_t>(began_us + Microseconds(clock_.Now()));
  }

 private:
  static constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::min();

  static std::int64_t Microseconds(Clock::TimePoint at) {
    return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  }

  const Clock& clock_;
  // The server's time of day when the steady clock stood at 0.
  std::atomic<std::int64_t> began_us_ = kUnknown;
};

}  // namespace outboxd
