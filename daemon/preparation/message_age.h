#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/mysql_server.h"
#include "daemon/config/config.h"
#include "daemon/preparation/readiness.h"
#include "daemon/preparation/source_setup.h"
#include "sinks/sink_family.h"

namespace outboxd {

// A topic may lose a message whose own time is long ago, and that time is the row's where
// `timestamp` is mapped. What a read of the event tables publishes can so be gone minutes later.

// What servers are asked for it.
struct AgeQuestions {
  std::function<sinks::Result<std::vector<std::string>>()> topics;
  std::function<sinks::Result<std::optional<sinks::AgeLimit>>(const std::string&)> age_limit;
  // As binlog::CountOlder().
  std::function<binlog::Result<std::optional<std::uint64_t>>(
      const binlog::TableFacts&, std::string_view, std::chrono::milliseconds, std::uint64_t)>
      count_older;
};

// Warns of rows that are older than their topics keep messages, or take them, and where that cannot
// be known. `found`: what DescribeEventTables() found.
[[nodiscard]] std::vector<Finding> CheckMessageAges(const Config& config, const EventTables& tables,
                                                    const std::vector<DescribedTable>& found,
                                                    const AgeQuestions& questions);

// The same, asking `server` and the receiver of the configuration; it connects to that one only
// where times are mapped. It may take 20 s.
[[nodiscard]] std::vector<Finding> LookAtMessageAges(const Config& config,
                                                     const EventTables& tables,
                                                     const std::vector<DescribedTable>& found,
                                                     binlog::MysqlServer& server);

}  // namespace outboxd
