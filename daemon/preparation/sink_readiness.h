#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint/checkpoint.h"
#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"
#include "sinks/sink_family.h"

namespace outboxd {

// Everything about the sink's side that can be known before the first row. `checkpoint`: what the
// relay would go on from. It connects to the receiver and waits for it.
[[nodiscard]] std::vector<Finding> CheckSink(const Config& config,
                                             const std::optional<Checkpoint>& checkpoint);

// The same, asking `probe`.
[[nodiscard]] std::vector<Finding> CheckSinkBy(sinks::SinkProbe& probe, const Config& config,
                                               const std::optional<Checkpoint>& checkpoint);

}  // namespace outboxd
