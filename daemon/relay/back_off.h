#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace outboxd {

// How long to wait before the next try: doubles from `first` to `max` with each failure, and is
// shortened by up to half at random, so that relays which lost a server together do not all come
// back together.
class BackOff {
 public:
  BackOff(std::chrono::milliseconds first, std::chrono::milliseconds max, std::uint64_t seed)
      : first_(first), max_(max), random_(seed) {}

  // For a receiver or a server that does not answer: from 100 ms to 15 s.
  explicit BackOff(std::uint64_t seed)
      : BackOff(std::chrono::milliseconds(100), std::chrono::seconds(15), seed) {}

  [[nodiscard]] std::chrono::milliseconds Next();
  // Call after a success.
  void Reset() { failures_ = 0; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds max_;
  std::mt19937_64 random_;
  int failures_ = 0;
};

}  // namespace outboxd
