#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "daemon/http/history.h"
#include "daemon/service/recent_records.h"

namespace outboxd {

// For the page: one JSON object on a line.
[[nodiscard]] std::string HistoryJson(const std::deque<History::Sample>& samples,
                                      const std::vector<RecentRecords::Record>& records,
                                      std::uint64_t now_us);

}  // namespace outboxd
