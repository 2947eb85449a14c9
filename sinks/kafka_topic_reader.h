#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sinks/error.h"
#include "sinks/kafka_log.h"
#include "sinks/kafka_properties.h"
#include "sinks/message.h"

namespace outboxd::sinks {

// A message as it stands in a topic: topic, partition and timestamp are set.
struct StoredMessage {
  Message message;
  std::int64_t offset = 0;
};

// Reads a topic as it stands, from its beginning to its present end. Belongs to no consumer group
// and stores no offset, so that it needs no right but to read the topic. One thread.
class KafkaTopicReader {
 public:
  // Errors as KafkaSink::Open(). `log` as in KafkaSinkOptions.
  [[nodiscard]] static Result<KafkaTopicReader> Connect(const KafkaProperties& properties,
                                                        KafkaLog log,
                                                        std::chrono::milliseconds timeout);

  KafkaTopicReader(KafkaTopicReader&&) noexcept;
  KafkaTopicReader& operator=(KafkaTopicReader&&) noexcept;
  ~KafkaTopicReader();

  // Calls `take` with each message from offset `from` on, one partition after the other, each in
  // its order; until it returns false. A message is valid during the call. Waits for the next
  // answer at most `timeout`. kConfiguration: there is no such topic. kRejected: the right to read
  // it is missing. kUnreachable: no answer.
  [[nodiscard]] Result<void> Read(const std::string& topic, std::int64_t from,
                                  std::chrono::milliseconds timeout,
                                  const std::function<bool(const StoredMessage&)>& take);

 private:
  struct State;

  explicit KafkaTopicReader(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace outboxd::sinks
