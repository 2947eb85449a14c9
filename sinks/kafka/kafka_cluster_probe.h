#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sinks/error.h"
#include "sinks/kafka/kafka_probe.h"
#include "sinks/kafka/kafka_sink_options.h"
#include "sinks/sink_family.h"

namespace outboxd::sinks {

// What can be said of a cluster before messages go there: brokers, topics, and how long those keep
// messages.
class KafkaClusterProbe final : public SinkProbe {
 public:
  // What it asks of the cluster. One that is made for tests answers as they wish.
  class Questions {
   public:
    virtual ~Questions() = default;
    [[nodiscard]] virtual Result<KafkaClusterFacts> Cluster() = 0;
    [[nodiscard]] virtual Result<std::vector<std::string>> Topics() = 0;
    // As KafkaProbe::Topic().
    [[nodiscard]] virtual Result<std::optional<KafkaTopicFacts>> Topic(const std::string& name) = 0;
  };

  KafkaClusterProbe(KafkaSinkOptions options, std::unique_ptr<Questions> questions)
      : options_(std::move(options)), questions_(std::move(questions)) {}

  // Connects. Errors as KafkaProbe::Connect().
  [[nodiscard]] static Result<std::unique_ptr<SinkProbe>> Connect(
      KafkaSinkOptions options, std::chrono::milliseconds timeout);

  [[nodiscard]] SinkFacts Look(std::span<const TopicUse> topics) override;
  [[nodiscard]] Result<std::vector<std::string>> Topics() override;
  [[nodiscard]] Result<std::optional<AgeLimit>> FindAgeLimit(const std::string& topic) override;

 private:
  // `broker_count`: how many the cluster has.
  [[nodiscard]] std::vector<Finding> LookAtTopic(const TopicUse& use, std::size_t broker_count);

  // Constant after construction.
  const KafkaSinkOptions options_;
  const std::unique_ptr<Questions> questions_;
};

}  // namespace outboxd::sinks
