#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/checkpoint/state_directory.h"
#include "sinks/message.h"

namespace outboxd {

// The headers that a dead letter has behind those of the event.
inline constexpr std::string_view kDeadPrefix = "outboxd.dead.";
inline constexpr std::string_view kDeadTopic = "outboxd.dead.topic";
inline constexpr std::string_view kDeadPartition = "outboxd.dead.partition";
inline constexpr std::string_view kDeadReason = "outboxd.dead.reason";
inline constexpr std::string_view kDeadPosition = "outboxd.dead.position";
inline constexpr std::string_view kDeadTable = "outboxd.dead.table";
inline constexpr std::string_view kDeadTime = "outboxd.dead.time";

// Makes the message that stands in the dead-letter topic for an event that its own topic does not
// take: key, value, headers and timestamp as they would have been, then where it was to go
// (outboxd.dead.partition only where the row names one), why it is here, which event it is, and
// since when. Its partition is chosen by key. A timestamp before 1970, which no topic takes, is
// left out; the reason tells it. Reader thread only.
class DeadLetter {
 public:
  explicit DeadLetter(std::string topic) : topic_(std::move(topic)) {}

  [[nodiscard]] const std::string& topic() const { return topic_; }

  // Borrows from `original` and `event`; valid until the next call.
  [[nodiscard]] sinks::Message Make(const sinks::Message& original, const HeldEvent& event);

 private:
  const std::string topic_;
  std::string partition_;
  std::string reason_;
  std::string time_;
  std::vector<sinks::Header> headers_;
};

// What a dead letter tells of its event, the reason with what to do about it. Borrows from the
// letter.
struct DeadLetterFacts {
  std::string_view position, id, table, topic, reason, time;
  std::optional<std::int32_t> partition;  // None: by key.
};

// None: the message is no dead letter.
[[nodiscard]] std::optional<DeadLetterFacts> ReadDeadLetter(const sinks::Message& letter);

// The event's message as it was to stand in its own topic. Borrows from `letter` and `headers`,
// which it fills.
[[nodiscard]] sinks::Message Restore(const sinks::Message& letter, const DeadLetterFacts& facts,
                                     std::vector<sinks::Header>& headers);

}  // namespace outboxd
