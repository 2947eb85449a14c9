#include "daemon/preparation/sink_setup.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

#include "base/escaped.h"
#include "base/glob.h"
#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

void LogOfClientLibrary(int level, std::string_view text) {
  constexpr int kWarning = 4;
  if (level < kWarning) {
    spdlog::info("{}", Escaped(text, 1000));
  } else {
    spdlog::debug("{}", Escaped(text, 1000));
  }
}

}  // namespace

bool MayPublish(const TopicsConfig& topics, std::string_view topic) {
  return topics.allow.empty() ||
         std::ranges::any_of(topics.allow, [topic](const std::string& pattern) {
           return FitsPattern(topic, pattern);
         });
}

sinks::SinkRequest SinkRequestOf(const Config& config) {
  sinks::SinkRequest request;
  request.settings = config.sink.settings;
  request.in_flight_bytes_max = config.delivery.in_flight_bytes_max;
  if (config.delivery.on_bad_event == DeliveryConfig::OnBadEvent::kDeadLetter) {
    request.own_topics.push_back(config.delivery.dead_letter_topic);
  }
  request.may_publish = [topics = config.topics, own = request.own_topics](std::string_view topic) {
    return MayPublish(topics, topic) || std::ranges::find(own, topic) != own.end();
  };
  request.log = LogOfClientLibrary;
  return request;
}

Result<std::unique_ptr<sinks::Sink>> MakeSink(const Config& config) {
  auto sink = config.sink.family->MakeSink(SinkRequestOf(config));
  if (!sink) return std::unexpected(AsDaemonError(sink.error()));
  return *std::move(sink);
}

}  // namespace outboxd
