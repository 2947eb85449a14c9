#pragma once

#include <string>

#include "daemon/status/metrics.h"

namespace outboxd {

// The facts that Debezium's MySQL connector has metrics for, under the names that its JMX exporter
// gives them, so that dashboards and alerts made for it go on (debezium-examples, monitoring/).
// As there, all are gauges with the labels plugin, name and context, times are in milliseconds, and
// a time that is not known is -1. Each is told in both contexts, `streaming` and `snapshot`.
[[nodiscard]] std::string DebeziumMetricsText(const StatusView& view);

}  // namespace outboxd
