#pragma once

#include <functional>
#include <string_view>

namespace outboxd::sinks {

// Takes one line of a client library's own log; `level` as in syslog: 0 (emergency) to 7 (debug).
// Called from threads of that library, several at once; must not throw and not call the sink. May
// be empty. How much of it is shown, and how often, is the caller's affair.
using SinkLog = std::function<void(int level, std::string_view text)>;

}  // namespace outboxd::sinks
