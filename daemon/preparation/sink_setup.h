#pragma once

#include <memory>

#include "daemon/config/config.h"
#include "daemon/error.h"
#include "sinks/kafka_sink.h"
#include "sinks/sink.h"

namespace outboxd {

// What the configuration means for the sink's side.

[[nodiscard]] sinks::KafkaSinkOptions KafkaSinkOptionsOf(const Config& config);

// The sink that is configured, not yet open. kConfiguration.
[[nodiscard]] Result<std::unique_ptr<sinks::Sink>> MakeSink(const Config& config);

}  // namespace outboxd
