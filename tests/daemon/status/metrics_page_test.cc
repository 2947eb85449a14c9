#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/status/metrics.h"
#include "daemon/status/status_json.h"
#include "tests/daemon/page.h"

namespace outboxd {
namespace {

constexpr const char* kPage = "metrics.md";

// docs/metrics.md is for those who never see the code: its tables and the program agree.
TEST(MetricsPageTest, HasTheMetricsOfTheTableAndNoOthers) {
  std::vector<std::string> expected;
  for (const MetricInfo& metric : AllMetrics()) {
    expected.push_back(fmt::format("| `{}` | {} | {} | {}. |", metric.name, metric.type,
                                   metric.labels, metric.help));
  }
  std::vector<std::string> rows;
  for (const std::string& line : LinesOfPage(kPage)) {
    if (line.starts_with("| `outboxd_")) rows.push_back(line);
  }
  EXPECT_EQ(rows, expected) << "the rows that docs/metrics.md is to have:\n" << Pasted(expected);
}

TEST(MetricsPageTest, HasTheFieldsOfTheStatusAndNoOthers) {
  const RelayStatus status;
  std::vector<std::string> expected;
  const auto json = nlohmann::ordered_json::parse(StatusJson({.status = status}));
  for (const auto& field : json.items()) expected.push_back(field.key());
  std::vector<std::string> fields;
  for (const std::string& line : LinesOfPage(kPage)) {
    if (!line.starts_with("| `") || line.starts_with("| `outboxd_")) continue;
    if (line.starts_with("| `/")) continue;
    fields.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  EXPECT_EQ(fields, expected);
}

}  // namespace
}  // namespace outboxd
