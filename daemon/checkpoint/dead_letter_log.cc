#include "daemon/checkpoint/dead_letter_log.h"

#include "base/json_line.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/checkpoint/held_event_json.h"

namespace outboxd {

namespace {

constexpr char kCount[] = "dead-letters";
constexpr char kReplayed[] = "replayed.jsonl";
constexpr std::size_t kBytesMax = std::size_t{64} << 20;

}  // namespace

Result<void> DeadLetterLog::Count(const HeldEvent& event) {
  auto counted = Counted();
  if (!counted) return std::unexpected(counted.error());
  DeadLetterCount next = std::move(*counted).value_or(DeadLetterCount());
  if (next.last.position != event.position) ++next.count;
  nlohmann::ordered_json json;
  json["count"] = next.count;
  json["last"] = ToJson(event);
  return ReplaceFile(SystemFiles(), directory_, kCount, JsonLine(json));
}

Result<std::optional<DeadLetterCount>> DeadLetterLog::Counted() const {
  const std::string path = directory_ + "/" + kCount;
  const auto text = ReadFile(SystemFiles(), path, kBytesMax);
  if (!text) return std::unexpected(text.error());
  if (!text->has_value()) return std::nullopt;
  try {
    const auto json = nlohmann::json::parse(**text);
    return DeadLetterCount{json.at("count").get<std::uint64_t>(), HeldFromJson(json.at("last"))};
  } catch (const nlohmann::json::exception& exception) {
    return Unreadable(path, exception);
  }
}

Result<void> DeadLetterLog::RecordReplayed(std::string_view position, std::string_view id,
                                           std::string_view topic, std::uint64_t now_us) {
  nlohmann::ordered_json json;
  json["position"] = position;
  json["id"] = id;
  json["topic"] = topic;
  json["replayed_us"] = now_us;
  return AppendLine(directory_, kReplayed, JsonLine(json));
}

Result<ReplayedEvents> DeadLetterLog::Replayed() const {
  auto text = ReadFile(SystemFiles(), directory_ + "/" + kReplayed, kBytesMax);
  if (!text) return std::unexpected(text.error());
  ReplayedEvents replayed;
  VisitJsonLines(text->value_or(""), [&](const nlohmann::json& json) {
    replayed[json.at("position").get<std::string>()] = json.at("replayed_us").get<std::uint64_t>();
  });
  return replayed;
}

}  // namespace outboxd
