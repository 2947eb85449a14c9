#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "daemon/status/relay_status.h"

namespace outboxd {

// A status, and when it is told.
struct StatusView {
  const RelayStatus& status;
  // How long it is since the status was made, by the steady clock, and the time of day now.
  std::chrono::microseconds age{0};
  std::uint64_t now_us = 0;
  std::string_view version = {};      // Of the program.
  std::string_view relay = {};        // Its name.
  std::string_view config_hash = {};  // Of mapping and policies.
};

// What is said of one metric, for the documentation.
struct MetricInfo {
  std::string_view name;    // With its unit, as Prometheus' conventions want it.
  std::string_view type;    // "counter", "gauge" or "histogram".
  std::string_view labels;  // With commas between them; empty: none.
  std::string_view help;    // A sentence or two, without the full stop at the end.
};

// All metrics, in the order in which they are told: the one list that the documentation, the
// dashboard and the tests are held against.
[[nodiscard]] std::span<const MetricInfo> AllMetrics();

// In Prometheus' text format. What is not known has no series.
[[nodiscard]] std::string MetricsText(const StatusView& view);

}  // namespace outboxd
