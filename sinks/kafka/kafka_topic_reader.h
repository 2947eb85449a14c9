#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sinks/error.h"
#include "sinks/kafka/kafka_properties.h"
#include "sinks/sink_family.h"
#include "sinks/sink_log.h"

namespace outboxd::sinks {

// Belongs to no consumer group and stores no offset, so that it needs no right but to read the
// topic.
class KafkaTopicReader final : public MessageReader {
 public:
  // Errors as KafkaSink::Open(). `log` as in KafkaSinkOptions.
  [[nodiscard]] static Result<KafkaTopicReader> Connect(const KafkaProperties& properties,
                                                        SinkLog log,
                                                        std::chrono::milliseconds timeout);

  KafkaTopicReader(KafkaTopicReader&&) noexcept;
  KafkaTopicReader& operator=(KafkaTopicReader&&) noexcept;
  ~KafkaTopicReader() override;

  [[nodiscard]] Result<void> Read(const std::string& topic, std::int64_t from,
                                  std::chrono::milliseconds timeout,
                                  const std::function<bool(const StoredMessage&)>& take) override;

 private:
  struct State;

  explicit KafkaTopicReader(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace outboxd::sinks
