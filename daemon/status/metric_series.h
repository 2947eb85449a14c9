#pragma once

#include <prometheus/metric_family.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/status/delivery_counts.h"

namespace outboxd {

// Where the series of one metric are added.
class MetricSeries {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;

  explicit MetricSeries(prometheus::MetricFamily& family) : family_(family) {}

  void Add(double value, Labels labels = {}) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = metric.gauge.value = value;
    family_.metric.push_back(std::move(metric));
  }
  void Add(std::uint64_t value, Labels labels = {}) {
    Add(static_cast<double>(value), std::move(labels));
  }
  void Add(bool value, Labels labels = {}) { Add(value ? 1.0 : 0.0, std::move(labels)); }
  void Add(std::chrono::microseconds value) { Add(std::chrono::duration<double>(value).count()); }
  // None: there is no series.
  template <typename T>
  void AddKnown(const std::optional<T>& value) {
    if (value) Add(*value);
  }
  // None: there is no end.
  void AddOrEver(const std::optional<std::chrono::seconds>& value) {
    Add(value ? static_cast<double>(value->count()) : std::numeric_limits<double>::infinity());
  }
  // 0: there is no series.
  void AddTime(std::uint64_t time_us) {
    if (time_us != 0) Add(static_cast<double>(time_us) / 1e6);
  }
  void Add(const LatencyCounts& latency) {
    prometheus::ClientMetric metric;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < latency.counts.size(); ++i) {
      count += latency.counts[i];
      const double bound = i < LatencyCounts::kBounds.size()
                               ? static_cast<double>(LatencyCounts::kBounds[i]) / 1e6
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = latency.sum_s;
    family_.metric.push_back(std::move(metric));
  }

 private:
  prometheus::MetricFamily& family_;
};

}  // namespace outboxd
