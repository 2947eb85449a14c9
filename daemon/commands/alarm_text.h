#pragma once

#include <string>
#include <vector>

#include "daemon/checkpoint/alarm_log.h"

namespace outboxd {

// A line for each, with its line feed.
[[nodiscard]] std::string AlarmsText(const std::vector<Alarm>& alarms);

}  // namespace outboxd
