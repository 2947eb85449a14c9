#include "daemon/status/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/value_text.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kNow = 1'700'000'000'000'000;

std::string Told(const RelayStatus& status, std::chrono::microseconds age = {}) {
  return MetricsText({.status = status,
                      .age = age,
                      .now_us = kNow,
                      .version = "1.2.3",
                      .relay = "shop",
                      .config_hash = "00ff"});
}

// The lines of one metric, without its comments.
std::string Lines(const std::string& text, std::string_view metric) {
  std::string lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const std::string_view name = line.substr(0, line.find_first_of(" {"));
    if (name == metric) lines += std::string(line) + "\n";
  }
  return lines;
}

TEST(MetricsTest, EachIsToldOnceWithItsHelpAndItsType) {
  const std::string text = Told({});
  std::set<std::string_view> names;
  for (const MetricInfo& metric : AllMetrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_THAT(text, HasSubstr(fmt::format("# HELP {} {}\n", metric.name, metric.help)));
    EXPECT_THAT(text, HasSubstr(fmt::format("# TYPE {} {}\n", metric.name, metric.type)));
    EXPECT_TRUE(metric.name.starts_with("outboxd_"));
    EXPECT_EQ(metric.name.ends_with("_total"), metric.type == "counter") << metric.name;
    EXPECT_FALSE(metric.help.ends_with('.')) << metric.name;
  }
}

TEST(MetricsTest, ALogThatIsKeptForEverHasNoEnd) {
  RelayStatus status;
  EXPECT_EQ(Lines(Told(status), "outboxd_log_kept_seconds"), "");
  EXPECT_EQ(Lines(Told(status), "outboxd_purge_margin_seconds"), "");
  status.server.log.emplace();
  EXPECT_EQ(Lines(Told(status), "outboxd_log_kept_seconds"), "outboxd_log_kept_seconds +Inf\n");
  EXPECT_EQ(Lines(Told(status), "outboxd_purge_margin_seconds"),
            "outboxd_purge_margin_seconds +Inf\n");
}

TEST(MetricsTest, TheMarginGoesDownWithTheAgeOfWhatIsToldAndIsNotKnownWithoutTheLag) {
  RelayStatus status;
  status.server.log.emplace().keeping.expiry = seconds(3600);
  EXPECT_EQ(Lines(Told(status), "outboxd_log_kept_seconds"), "outboxd_log_kept_seconds 3600\n");
  EXPECT_EQ(Lines(Told(status), "outboxd_purge_margin_seconds"), "");
  status.lag.oldest = seconds(600);
  EXPECT_EQ(Lines(Told(status), "outboxd_purge_margin_seconds"),
            "outboxd_purge_margin_seconds 3000\n");
  EXPECT_EQ(Lines(Told(status, seconds(10)), "outboxd_purge_margin_seconds"),
            "outboxd_purge_margin_seconds 2990\n");
}

TEST(MetricsTest, ExactlyOneStateIsTrue) {
  RelayStatus status;
  const auto states = [&] {
    const std::string lines = Lines(Told(status), "outboxd_state");
    EXPECT_EQ(std::ranges::count(lines, '\n'), 6);
    const std::size_t at = lines.find("\"} 1\n");
    EXPECT_NE(at, lines.npos);
    EXPECT_EQ(lines.find("\"} 1\n", at + 1), lines.npos);
    const std::size_t begin = lines.rfind('"', at - 1) + 1;
    return lines.substr(begin, at - begin);
  };
  EXPECT_EQ(states(), "preparing");
  status.phase = RelayStatus::Phase::kInitialRead;
  EXPECT_EQ(states(), "initial_read");
  status.phase = RelayStatus::Phase::kStreaming;
  EXPECT_EQ(states(), "streaming");
  status.held.emplace();
  EXPECT_EQ(states(), "holding");
  status.parked.emplace();
  EXPECT_EQ(states(), "parked");
  status = {};
  status.phase = RelayStatus::Phase::kStopping;
  EXPECT_EQ(states(), "stopping");
}

TEST(MetricsTest, ALagThatIsNotKnownHasNoSeriesAndIsToldAsSuch) {
  RelayStatus status;
  EXPECT_EQ(Lines(Told(status), "outboxd_lag_seconds"), "");
  EXPECT_EQ(Lines(Told(status), "outboxd_lag_bytes"), "");
  EXPECT_EQ(Lines(Told(status), "outboxd_lag_unknown"), "outboxd_lag_unknown 1\n");
  status.lag.proven_for = seconds(2);
  EXPECT_EQ(Lines(Told(status), "outboxd_lag_seconds"), "outboxd_lag_seconds 0\n");
  EXPECT_EQ(Lines(Told(status), "outboxd_lag_unknown"), "outboxd_lag_unknown 0\n");
}

TEST(MetricsTest, TheLagGrowsThoughTheLoopIsStuck) {
  RelayStatus status;
  status.lag = {.oldest = {}, .done = milliseconds(500), .proven_for = seconds(2)};
  EXPECT_EQ(Lines(Told(status, seconds(1)), "outboxd_lag_seconds"), "outboxd_lag_seconds 0\n");
  EXPECT_EQ(Lines(Told(status, seconds(60)), "outboxd_lag_seconds"), "outboxd_lag_seconds 60.5\n");
  EXPECT_EQ(Lines(Told(status, seconds(60)), "outboxd_status_age_seconds"),
            "outboxd_status_age_seconds 60\n");
}

TEST(MetricsTest, NamesOfTablesAreHarmless) {
  RelayStatus status;
  status.counts.tables = {{"shop.a\"b\\c\nd", 3, 70}};
  EXPECT_EQ(Lines(Told(status), "outboxd_published_events_total"),
            "outboxd_published_events_total{table=\"shop.a\\\"b\\\\c\\nd\"} 3\n");
}

TEST(MetricsTest, TheLatencyIsAHistogram) {
  RelayStatus status;
  status.counts.latency.Add(milliseconds(1), 2);
  status.counts.latency.Add(milliseconds(3), 1);
  status.counts.latency.Add(seconds(1000), 1);
  const std::string text = Told(status);
  EXPECT_THAT(text, HasSubstr("outboxd_delivery_latency_seconds_count 4\n"));
  EXPECT_THAT(text, HasSubstr("outboxd_delivery_latency_seconds_bucket{le=\"0.0005\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("outboxd_delivery_latency_seconds_bucket{le=\"0.001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("outboxd_delivery_latency_seconds_bucket{le=\"0.005\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("outboxd_delivery_latency_seconds_bucket{le=\"300\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("outboxd_delivery_latency_seconds_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("outboxd_delivery_latency_seconds_sum 1000.005"));
}

TEST(MetricsTest, WhatStandsInTheWayIsToldByHowLong) {
  RelayStatus status;
  status.phase = RelayStatus::Phase::kStreaming;
  EXPECT_EQ(Lines(Told(status), "outboxd_ready"), "outboxd_ready 1\n");
  status.source = Outage{kNow - 12'000'000, "refused"};
  status.held.emplace().since_us = kNow - 90'000'000;
  status.held_xa = {{"x", "binlog.000001:4", kNow - 60'000'000}};
  const std::string text = Told(status);
  EXPECT_EQ(Lines(text, "outboxd_ready"), "outboxd_ready 0\n");
  EXPECT_EQ(Lines(text, "outboxd_source_up"), "outboxd_source_up 0\n");
  EXPECT_EQ(Lines(text, "outboxd_source_down_seconds"), "outboxd_source_down_seconds 12\n");
  EXPECT_EQ(Lines(text, "outboxd_sink_up"), "outboxd_sink_up 1\n");
  EXPECT_EQ(Lines(text, "outboxd_held_seconds"), "outboxd_held_seconds 90\n");
  EXPECT_EQ(Lines(text, "outboxd_held_xa_oldest_seconds"), "outboxd_held_xa_oldest_seconds 60\n");
}

TEST(MetricsTest, TheInitialReadIsToldWhileItIsUnderWay) {
  RelayStatus status;
  EXPECT_EQ(Lines(Told(status), "outboxd_initial_read_rows"), "");
  status.read = InitialRead{.tables = {{.schema_name = "s", .table_name = "a", .rows = 50}}};
  EXPECT_EQ(Lines(Told(status), "outboxd_initial_read_rows"), "outboxd_initial_read_rows 50\n");
  EXPECT_EQ(Lines(Told(status), "outboxd_initial_read_ratio"), "");
  status.read_rows_estimate = 200;
  EXPECT_EQ(Lines(Told(status), "outboxd_initial_read_ratio"), "outboxd_initial_read_ratio 0.25\n");
  status.read_rows_estimate = 20;
  EXPECT_EQ(Lines(Told(status), "outboxd_initial_read_ratio"), "outboxd_initial_read_ratio 1\n");
}

}  // namespace
}  // namespace outboxd
