#pragma once

#include "sinks/sink_family.h"

namespace outboxd::sinks {

// Messages as lines on the process's standard output (stdout_sink.h).
[[nodiscard]] const SinkFamily& StdoutFamily();

}  // namespace outboxd::sinks
