#pragma once

#include <string>

#include "daemon/error.h"
#include "sinks/sink_words.h"

namespace outboxd {

// The checkpoint is for one receiver, and the configuration leads to another. `found`: its
// identity; empty: it has none. kCheckpoint.
[[nodiscard]] Error OtherReceiverError(const sinks::SinkWords& words, const std::string& known,
                                       const std::string& found);

}  // namespace outboxd
