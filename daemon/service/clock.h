#pragma once

#include <chrono>
#include <cstdint>

namespace outboxd {

// Time and waiting, so that tests and the simulator can bring their own. Any thread.
class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;

  // For every timer: never jumps.
  [[nodiscard]] virtual TimePoint Now() const = 0;
  // Microseconds since the epoch, for people and records only.
  [[nodiscard]] virtual std::uint64_t WallMicroseconds() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] std::uint64_t WallMicroseconds() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  }
};

}  // namespace outboxd
