#include "daemon/relay/dead_letter.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>

#include "base/error.h"
#include "base/time_text.h"

namespace outboxd {

sinks::Message DeadLetter::Make(const sinks::Message& original, const HeldEvent& event) {
  time_ = IsoTimeText(event.since_us);
  headers_.assign(original.headers.begin(), original.headers.end());
  headers_.push_back({kDeadTopic, original.topic});
  if (original.partition) {
    partition_ = std::to_string(*original.partition);
    headers_.push_back({kDeadPartition, partition_});
  }
  reason_ = WithHint(event.reason, event.hint);
  headers_.push_back({kDeadReason, reason_});
  headers_.push_back({kDeadPosition, event.position});
  headers_.push_back({kDeadTable, event.table});
  headers_.push_back({kDeadTime, time_});
  sinks::Message letter = original;
  letter.topic = topic_;
  letter.headers = headers_;
  letter.partition.reset();
  if (letter.timestamp && letter.timestamp->count() < 0) letter.timestamp.reset();
  return letter;
}

std::optional<DeadLetterFacts> ReadDeadLetter(const sinks::Message& letter) {
  DeadLetterFacts facts;
  for (const sinks::Header& header : letter.headers) {
    const std::string_view value = header.value.value_or("");
    if (header.name == "id" && facts.id.empty()) facts.id = value;
    if (header.name == kDeadPosition) facts.position = value;
    if (header.name == kDeadTable) facts.table = value;
    if (header.name == kDeadTopic) facts.topic = value;
    if (header.name == kDeadReason) facts.reason = value;
    if (header.name == kDeadTime) facts.time = value;
    if (header.name == kDeadPartition) {
      std::int32_t number = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
      if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size())
        return std::nullopt;
      facts.partition = number;
    }
  }
  if (facts.position.empty() || facts.topic.empty()) return std::nullopt;
  return facts;
}

sinks::Message Restore(const sinks::Message& letter, const DeadLetterFacts& facts,
                       std::vector<sinks::Header>& headers) {
  headers.clear();
  std::ranges::copy_if(letter.headers, std::back_inserter(headers),
                       [](const auto& header) { return !header.name.starts_with(kDeadPrefix); });
  sinks::Message message = letter;
  message.topic = facts.topic;
  message.partition = facts.partition;
  message.headers = headers;
  return message;
}

}  // namespace outboxd
