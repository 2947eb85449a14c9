#include "daemon/http/history.h"

#include <algorithm>
#include <array>

namespace outboxd {
namespace {

constexpr std::uint64_t kIntervalUs =
    std::chrono::duration_cast<std::chrono::microseconds>(History::kInterval).count();

std::optional<double> Seconds(const std::optional<LagFacts::Duration>& lag) {
  if (!lag) return std::nullopt;
  return std::chrono::duration<double>(*lag).count();
}

}  // namespace

// Within a class it counts as evenly spread; in the last one, which has no end, as its beginning.
std::optional<double> Quantile(const LatencyCounts& before, const LatencyCounts& after,
                               double share) {
  std::array<std::uint64_t, LatencyCounts::kBounds.size() + 1> counts{};
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = after.counts[i] - std::min(after.counts[i], before.counts[i]);
    all += counts[i];
  }
  if (all == 0) return std::nullopt;
  const double wanted = share * static_cast<double>(all);
  double passed = 0;
  double begin_us = 0;
  for (std::size_t i = 0; i < LatencyCounts::kBounds.size(); ++i) {
    const auto end_us = static_cast<double>(LatencyCounts::kBounds[i]);
    const auto count = static_cast<double>(counts[i]);
    if (count > 0 && passed + count >= wanted) {
      return (begin_us + (end_us - begin_us) * (wanted - passed) / count) / 1e6;
    }
    passed += count;
    begin_us = end_us;
  }
  return begin_us / 1e6;
}

void History::Note(const RelayStatus& status, std::uint64_t now_us) {
  const bool is_first = samples_.empty();
  const std::uint64_t last_us = is_first ? now_us : samples_.back().at_us;
  const std::uint64_t elapsed_us = now_us - std::min(now_us, last_us);
  // A clock that was set back must not end the history.
  const bool is_due = is_first || elapsed_us >= kIntervalUs || now_us + kIntervalUs < last_us;
  if (!is_due) return;
  Sample sample{.at_us = now_us, .lag_s = Seconds(LagAfter(status.lag))};
  if (!is_first && elapsed_us > 0) {
    // A relay that began anew counts from 0 again.
    const std::uint64_t events = status.delivered - std::min(status.delivered, delivered_);
    sample.rate = static_cast<double>(events) * 1e6 / static_cast<double>(elapsed_us);
    sample.p50_s = Quantile(latency_, status.counts.latency, 0.50);
    sample.p99_s = Quantile(latency_, status.counts.latency, 0.99);
  }
  delivered_ = status.delivered;
  latency_ = status.counts.latency;
  samples_.push_back(sample);
  if (samples_.size() > kSamplesMax) samples_.pop_front();
}

}  // namespace outboxd
