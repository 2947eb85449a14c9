#pragma once

#include <string>
#include <vector>

#include "daemon/status/metrics.h"

namespace outboxd {

// What a relay is doing, for programs: one JSON object on a line. What is not known is null. Later
// versions add fields; those that there are keep their names and meanings.
[[nodiscard]] std::string StatusJson(const StatusView& view);

// Whether messages flow, for programs: {"ready":false,"reasons":["..."],"text":"..."}. `text` is
// the line for people.
[[nodiscard]] std::string ReadyJson(bool is_ready, const std::vector<std::string>& reasons,
                                    const std::string& text);

}  // namespace outboxd
