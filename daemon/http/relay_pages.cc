#include "daemon/http/relay_pages.h"

#include <array>
#include <chrono>
#include <utility>

#include "daemon/status/metrics.h"
#include "daemon/status/status_json.h"

namespace outboxd {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

unsigned CodeOf(const Health& health) { return health.is_good ? 200 : 503; }

}  // namespace

void RelayPages::Set(About about) {
  const std::lock_guard lock(mutex_);
  about_ = std::move(about);
}

std::optional<HttpAnswer> RelayPages::Answer(std::string_view path) const {
  struct Page {
    std::string_view path;
    HttpAnswer (RelayPages::*answer)() const;
  };
  static constexpr std::array kPages = {
      Page{"/healthz", &RelayPages::Live}, Page{"/readyz", &RelayPages::Ready},
      Page{"/status", &RelayPages::Status}, Page{"/metrics", &RelayPages::Metrics}};
  for (const Page& page : kPages) {
    if (page.path == path) return (this->*page.answer)();
  }
  return std::nullopt;
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
