#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "daemon/service/clock.h"

namespace outboxd {

// At most so many events a second, evenly: a pause lets at most a tenth of a second's worth follow
// at once. One thread.
class RateLimit {
 public:
  // 0: no limit.
  explicit RateLimit(std::uint64_t events_per_second)
      : interval_(events_per_second == 0
                      ? std::chrono::nanoseconds{0}
                      : std::chrono::nanoseconds{1'000'000'000 / events_per_second}) {}

  [[nodiscard]] bool is_limited() const { return interval_.count() > 0; }

  // How long the next event has to wait; 0: it may go now.
  [[nodiscard]] std::chrono::milliseconds Wait(Clock::TimePoint now) const {
    if (next_ <= now) return std::chrono::milliseconds{0};
    return std::chrono::ceil<std::chrono::milliseconds>(next_ - now);
  }

  // An event goes.
  void Take(Clock::TimePoint now) { next_ = std::max(next_, now - kBurst) + interval_; }

 private:
  static constexpr std::chrono::milliseconds kBurst{100};

  std::chrono::nanoseconds interval_;
  Clock::TimePoint next_{};
};

}  // namespace outboxd
