#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "daemon/status/delivery_counts.h"
#include "daemon/status/relay_status.h"

namespace outboxd {

// What the page draws: how a relay did in the last hour, in steps of 10 s. Guarded by StatusBoard.
class History {
 public:
  static constexpr std::chrono::seconds kInterval{10};
  static constexpr std::size_t kSamplesMax = 360;

  struct Sample {
    std::uint64_t at_us = 0;           // Wall clock.
    std::optional<double> lag_s;       // None: not known.
    double rate = 0;                   // Events a second, since the sample before.
    std::optional<double> p50_s = {};  // Of the latencies since then; none: there were none.
    std::optional<double> p99_s = {};
  };

  // Takes a sample where one is due. `status` is of `now_us`.
  void Note(const RelayStatus& status, std::uint64_t now_us);

  [[nodiscard]] const std::deque<Sample>& samples() const { return samples_; }

 private:
  std::deque<Sample> samples_;
  std::uint64_t delivered_ = 0;  // At the sample before ...
  LatencyCounts latency_;        // ... and this.
};

// The latency in seconds that so large a share of what was counted between the two did not exceed,
// as far as their classes tell. None: nothing was counted.
[[nodiscard]] std::optional<double> Quantile(const LatencyCounts& before,
                                             const LatencyCounts& after, double share);

}  // namespace outboxd
