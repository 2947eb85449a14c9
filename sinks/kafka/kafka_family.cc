#include "sinks/kafka/kafka_family.h"

#include <algorithm>
#include <utility>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_cluster_probe.h"
#include "sinks/kafka/kafka_properties.h"
#include "sinks/kafka/kafka_settings.h"
#include "sinks/kafka/kafka_sink.h"
#include "sinks/kafka/kafka_token.h"
#include "sinks/kafka/kafka_topic_reader.h"
#include "sinks/kafka/kafka_topics.h"

namespace outboxd::sinks {
namespace {

constexpr SinkWords kWords{
    .destination = "to Kafka",
    .receiver = "Kafka",
    .identity = "Kafka cluster",
    .address_key = "kafka.bootstrap.servers",
    .keep_advice = "see that retention.ms of their topics is above the age of the rows, or -1"};

class Family final : public SinkFamily {
 public:
  std::string_view name() const override { return "kafka"; }

  const SinkWords& words() const override { return kWords; }

  std::string library() const override { return LibraryText(); }

  std::span<const SettingKey> keys() const override { return KafkaSettingKeys(); }
  std::string_view example() const override {
    return "[kafka]\nbootstrap.servers = localhost:9092\n";
  }
  Result<void> CheckSetting(const Setting& setting) const override {
    return CheckKafkaSetting(setting);
  }
  bool IsCredential(const Setting& setting) const override {
    return setting.section == "kafka" && sinks::IsCredential(setting.key);
  }
  bool RunsProgram(std::span<const Setting> settings) const override {
    return std::ranges::any_of(settings, [](const Setting& setting) {
      return setting.section == "kafka" && setting.key == kTokenCommand;
    });
  }
  Result<void> CheckTopicName(std::string_view topic) const override {
    return CheckKafkaTopicName(topic);
  }

  Result<std::unique_ptr<Sink>> MakeSink(SinkRequest request) const override {
    auto options = KafkaSinkOptionsOf(std::move(request));
    if (!options) return std::unexpected(options.error());
    return KafkaSink::Create(*std::move(options));
  }

  Result<std::unique_ptr<SinkProbe>> MakeProbe(SinkRequest request,
                                               std::chrono::milliseconds timeout) const override {
    auto options = KafkaSinkOptionsOf(std::move(request));
    if (!options) return std::unexpected(options.error());
    return KafkaClusterProbe::Connect(*std::move(options), timeout);
  }

  Result<std::unique_ptr<MessageReader>> MakeReader(
      SinkRequest request, std::chrono::milliseconds timeout) const override {
    const auto options = KafkaSinkOptionsOf(std::move(request));
    if (!options) return std::unexpected(options.error());
    auto reader = KafkaTopicReader::Connect(options->properties, options->log, timeout);
    if (!reader) return std::unexpected(reader.error());
    return std::make_unique<KafkaTopicReader>(*std::move(reader));
  }
};

}  // namespace

const SinkFamily& KafkaFamily() {
  static const Family family;
  return family;
}

}  // namespace outboxd::sinks
