#include "daemon/preparation/sink_setup.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "daemon/exit_code_of.h"
#include "daemon/text/escaped.h"
#include "sinks/stdout_sink.h"

namespace outboxd {
namespace {

// librdkafka tells of every attempt to connect; what matters the sink's errors say as well.
void LogOfLibrdkafka(int level, std::string_view text) {
  constexpr int kWarning = 4;
  if (level < kWarning) {
    spdlog::info("librdkafka: {}", Escaped(text, 1000));
  } else {
    spdlog::debug("librdkafka: {}", Escaped(text, 1000));
  }
}

}  // namespace

sinks::KafkaSinkOptions KafkaSinkOptionsOf(const Config& config) {
  sinks::KafkaSinkOptions options;
  // Of two with one name the later counts, so that the operator's own comes through.
  constexpr std::uint64_t kKibibyte = 1024;
  options.properties.emplace_back(
      "queue.buffering.max.kbytes",
      std::to_string(std::max<std::uint64_t>(config.delivery.in_flight_bytes_max / kKibibyte, 1)));
  options.properties.insert(options.properties.end(), config.kafka.begin(), config.kafka.end());
  options.create_topics = config.topics.create;
  options.topic_partitions = config.topics.partitions;
  options.topic_replication = config.topics.replication;
  options.allowed_topics = config.topics.allow;
  if (config.delivery.on_bad_event == DeliveryConfig::OnBadEvent::kDeadLetter) {
    options.own_topics.push_back(config.delivery.dead_letter_topic);
  }
  options.log = LogOfLibrdkafka;
  return options;
}

Result<std::unique_ptr<sinks::Sink>> MakeSink(const Config& config) {
  if (config.sink.type == SinkConfig::Type::kStdout) {
    return std::make_unique<sinks::StdoutSink>(STDOUT_FILENO);
  }
  auto sink = sinks::KafkaSink::Create(KafkaSinkOptionsOf(config));
  if (!sink) return Fail(ExitCodeOf(sink.error().kind), "{}", sink.error().message);
  return std::unique_ptr<sinks::Sink>(std::move(*sink));
}

}  // namespace outboxd
