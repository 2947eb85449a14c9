#include "sinks/kafka/kafka_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/value_text.h"

namespace outboxd::sinks {
namespace {

constexpr std::uint64_t kPartitionsMax = 100'000;
constexpr std::uint64_t kReplicationMax = 100;

constexpr auto kKeys = std::to_array<SettingKey>({
    {"kafka", "*", SettingKey::Type::kText, "", "",
     "Any property of librdkafka. bootstrap.servers is required where sink.type is kafka."},
    {"topics", "create", SettingKey::Type::kYesNo, "", "no",
     "Whether the relay creates topics that are missing."},
    {"topics", "partitions", SettingKey::Type::kNumber, "1 to 100000", "3",
     "The number of partitions of a topic that the relay creates."},
    {"topics", "replication", SettingKey::Type::kNumber, "1 to 100", "3",
     "The number of replicas of a topic that the relay creates."},
});

template <typename T, typename To>
Result<void> Take(const Parsed<T>& parsed, To& target) {
  if (!parsed) return std::unexpected(parsed.error().As(ErrorKind::kConfiguration));
  target = static_cast<To>(*parsed);
  return {};
}

// Into `options`, what one setting says; settings of other families say nothing.
Result<void> Apply(const Setting& setting, KafkaSinkOptions& options) {
  if (setting.section == "kafka") {
    options.properties.emplace_back(setting.key, setting.value);
  } else if (setting.section != "topics") {
    return {};
  } else if (setting.key == "create") {
    return Take(ParseYesNo(setting.value), options.create_topics);
  } else if (setting.key == "partitions") {
    return Take(ParseNumber(setting.value, 1, kPartitionsMax), options.topic_partitions);
  } else if (setting.key == "replication") {
    return Take(ParseNumber(setting.value, 1, kReplicationMax), options.topic_replication);
  }
  return {};
}

}  // namespace

std::span<const SettingKey> KafkaSettingKeys() { return kKeys; }

Result<void> CheckKafkaSetting(const Setting& setting) {
  KafkaSinkOptions options;
  return Apply(setting, options);
}

Result<KafkaSinkOptions> KafkaSinkOptionsOf(SinkRequest request) {
  KafkaSinkOptions options;
  // Of two with one name the later counts, so that the operator's own comes through.
  constexpr std::uint64_t kKibibyte = 1024;
  options.properties.emplace_back(
      "queue.buffering.max.kbytes",
      std::to_string(std::max<std::uint64_t>(request.in_flight_bytes_max / kKibibyte, 1)));
  for (const Setting& setting : request.settings) {
    if (const auto applied = Apply(setting, options); !applied) {
      return Fail(applied.error(), "{}.{}", setting.section, setting.key);
    }
  }
  options.may_publish = std::move(request.may_publish);
  options.own_topics = std::move(request.own_topics);
  if (request.log) {
    // librdkafka tells of every attempt to connect; what matters the sink's errors say as well.
    options.log = [log = std::move(request.log)](int level, std::string_view text) {
      log(level, fmt::format("librdkafka: {}", text));
    };
  }
  return options;
}

}  // namespace outboxd::sinks
