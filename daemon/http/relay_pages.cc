#include "daemon/http/relay_pages.h"

#include <array>
#include <chrono>
#include <utility>

#include "daemon/http/history_json.h"
#include "daemon/http/page.h"
#include "daemon/http/page_policy.h"
#include "daemon/status/debezium_metrics.h"
#include "daemon/status/metrics.h"
#include "daemon/status/status_json.h"

namespace outboxd {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

unsigned CodeOf(const Health& health) { return health.is_good ? 200 : 503; }

}  // namespace

RelayPages::RelayPages(const HealthBoard& health, const StatusBoard& status,
                       const RecentRecords& records, const Clock& clock)
    : health_(health),
      status_(status),
      records_(records),
      clock_(clock),
      page_policy_(PagePolicy(PageText())) {}

void RelayPages::Set(About about) {
  const std::lock_guard lock(mutex_);
  about_ = std::move(about);
}

std::optional<HttpAnswer> RelayPages::Answer(std::string_view path) const {
  struct Answerer {
    std::string_view path;
    HttpAnswer (RelayPages::*answer)() const;
  };
  static constexpr std::array kPages = {
      Answerer{"/healthz", &RelayPages::Live},     Answerer{"/readyz", &RelayPages::Ready},
      Answerer{"/status", &RelayPages::Status},    Answerer{"/metrics", &RelayPages::Metrics},
      Answerer{"/history", &RelayPages::LastHour}, Answerer{"/", &RelayPages::Page}};
  for (const Answerer& page : kPages) {
    if (page.path == path) return (this->*page.answer)();
  }
  return path == "/metrics/debezium" ? DebeziumMetrics() : std::nullopt;
}

std::optional<HttpAnswer> RelayPages::AnswerLocally(std::string_view path) const {
  if (path != kReloadsPath) return Answer(path);
  const Health reloads = health_.Reloads();
  return HttpAnswer{.status = CodeOf(reloads), .body = reloads.text + "\n"};
}

HttpAnswer RelayPages::Live() const {
  const Health live = health_.Live();
  return {.status = CodeOf(live), .body = live.text + "\n"};
}

HttpAnswer RelayPages::Ready() const {
  const Health ready = health_.Ready();
  const StatusBoard::Told told = status_.Read();
  std::vector<std::string> reasons = Hindrances(told.status, clock_.WallMicroseconds());
  if (ready.is_good) reasons.clear();
  if (!ready.is_good && reasons.empty()) reasons.push_back(ready.text);
  return {.status = CodeOf(ready),
          .type = kJson,
          .body = ReadyJson(ready.is_good, reasons, ready.text)};
}

HttpAnswer RelayPages::Status() const { return {.type = kJson, .body = Told(&StatusJson)}; }

HttpAnswer RelayPages::Metrics() const {
  return {.type = kMetricsText, .body = Told(&MetricsText)};
}

std::optional<HttpAnswer> RelayPages::DebeziumMetrics() const {
  {
    const std::lock_guard lock(mutex_);
    if (!about_.tells_debezium_metrics) return std::nullopt;
  }
  return HttpAnswer{.type = kMetricsText, .body = Told(&DebeziumMetricsText)};
}

HttpAnswer RelayPages::LastHour() const {
  return {.type = kJson,
          .body = HistoryJson(status_.history(), records_.All(), clock_.WallMicroseconds())};
}

HttpAnswer RelayPages::Page() const {
  return {.type = "text/html; charset=utf-8",
          .body = std::string(PageText()),
          .content_policy = page_policy_};
}

template <typename Text>
std::string RelayPages::Told(Text text) const {
  const StatusBoard::Told told = status_.Read();
  const std::lock_guard lock(mutex_);
  return text(StatusView{.status = told.status,
                         .age = std::chrono::duration_cast<std::chrono::microseconds>(told.age),
                         .now_us = clock_.WallMicroseconds(),
                         .version = about_.version,
                         .relay = about_.relay,
                         .config_hash = about_.config_hash});
}

}  // namespace outboxd
