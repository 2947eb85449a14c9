#include "daemon/status/delivery_counts.h"

#include <algorithm>

namespace outboxd {

void LatencyCounts::Add(std::chrono::microseconds latency, std::uint64_t times) {
  const auto bound = std::ranges::lower_bound(kBounds, static_cast<std::uint64_t>(latency.count()));
  counts[static_cast<std::size_t>(bound - kBounds.begin())] += times;
  sum_s += std::chrono::duration<double>(latency).count() * static_cast<double>(times);
}

}  // namespace outboxd
