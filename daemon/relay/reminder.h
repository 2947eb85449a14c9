#pragma once

#include <chrono>

#include "daemon/service/clock.h"

namespace outboxd {

// When to say again what was said when it began and lasts.
class Reminder {
 public:
  explicit Reminder(std::chrono::milliseconds interval = std::chrono::minutes{1})
      : interval_(interval) {}

  // Whether it is time to say it; to be asked now and then. `lasts`: it does still, or again.
  [[nodiscard]] bool IsDue(bool lasts, Clock::TimePoint now) {
    if (!lasts || !lasts_) {
      lasts_ = lasts;
      next_ = now + interval_;
      return false;
    }
    if (now < next_) return false;
    next_ = now + interval_;
    return true;
  }

 private:
  // Constant after construction.
  const std::chrono::milliseconds interval_;

  bool lasts_ = false;
  Clock::TimePoint next_{};
};

}  // namespace outboxd
