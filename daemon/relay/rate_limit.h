#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "daemon/service/clock.h"

namespace outboxd {

// At most so many events a second, evenly: a pause lets at most a tenth of a second's worth follow
// at once. One thread, but
// for Set().
class RateLimit {
 public:
  // 0: no limit.
  explicit RateLimit(std::uint64_t events_per_second) { Set(events_per_second); }

  // Counts from the next event on. Any thread.
  void Set(std::uint64_t events_per_second) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    interval_ns_.store(
        events_per_second == 0
            ? 0
            : std::max<std::int64_t>(kSecond / static_cast<std::int64_t>(events_per_second), 1),
        std::memory_order_relaxed);
  }

  [[nodiscard]] bool is_limited() const { return interval_ns_.load(std::memory_order_relaxed) > 0; }

  // How long the next event has to wait; 0: it may go now.
  [[nodiscard]] std::chrono::milliseconds Wait(Clock::TimePoint now) const {
    if (next_ <= now) return std::chrono::milliseconds{0};
    return std::chrono::ceil<std::chrono::milliseconds>(next_ - now);
  }

  // An event goes.
  void Take(Clock::TimePoint now) {
    const std::chrono::nanoseconds interval{interval_ns_.load(std::memory_order_relaxed)};
    next_ = std::max(next_, now - kBurst) + interval;
  }

 private:
  static constexpr std::chrono::milliseconds kBurst{100};

  std::atomic<std::int64_t> interval_ns_;  // Between two events; 0: no limit.
  Clock::TimePoint next_{};
};

}  // namespace outboxd
