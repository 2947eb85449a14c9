#pragma once

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "daemon/service/clock.h"

namespace outboxd {

// How a relay is, for those who ask it from outside.
struct Health {
  bool is_good = false;
  std::string text;  // In one line, for people.
};

// Where the relay's loop writes how it is, and the health server reads it. Any thread.
class HealthBoard {
 public:
  // A loop that has not beaten for so long is stuck.
  static constexpr std::chrono::seconds kBeatMax{60};

  // `clock` is borrowed.
  explicit HealthBoard(const Clock& clock) : clock_(clock) { Beat(); }

  // Whether messages flow, or could: nothing stands in the way.
  void Set(Health ready) {
    const std::lock_guard lock(mutex_);
    ready_ = std::move(ready);
  }
  // How many reloads were answered, and how the last one was: not good where it was refused.
  void SetReloads(std::uint64_t answered, const Health& last) {
    const std::lock_guard lock(mutex_);
    reloads_ = {last.is_good, fmt::format("{} {}", answered, last.text)};
  }
  // The loop that feeds the watchdog goes on.
  void Beat() { beat_at_.store(clock_.Now().time_since_epoch().count()); }

  // Whether the process works at all; no server that is away changes that.
  [[nodiscard]] Health Live() const;
  // A process that does not live is not ready either.
  [[nodiscard]] Health Ready() const;
  // "NUMBER TEXT".
  [[nodiscard]] Health Reloads() const;

 private:
  const Clock& clock_;
  std::atomic<Clock::TimePoint::rep> beat_at_ = 0;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Health ready_{false, "starting"};
  Health reloads_{true, "0 "};
};

}  // namespace outboxd
