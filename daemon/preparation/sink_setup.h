#pragma once

#include <memory>
#include <string_view>

#include "daemon/config/config.h"
#include "daemon/error.h"
#include "sinks/sink.h"
#include "sinks/sink_family.h"

namespace outboxd {

// What the configuration means for the sink's side.

// Whether events may go to a topic.
[[nodiscard]] bool MayPublish(const TopicsConfig& topics, std::string_view topic);

// To its own topics the relay may publish whatever events may.
[[nodiscard]] sinks::SinkRequest SinkRequestOf(const Config& config);

// The sink that is configured, not yet open. kConfiguration.
[[nodiscard]] Result<std::unique_ptr<sinks::Sink>> MakeSink(const Config& config);

}  // namespace outboxd
