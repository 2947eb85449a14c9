#include "daemon/checkpoint/action_log.h"

#include "base/json_line.h"
#include "daemon/checkpoint/file_system.h"

namespace outboxd {
namespace {

constexpr char kName[] = "actions.jsonl";
constexpr std::size_t kBytesMax = std::size_t{64} << 20;

}  // namespace

Result<void> ActionLog::Record(const Action& action) {
  nlohmann::ordered_json json;
  json["at_us"] = action.at_us;
  json["by"] = action.by;
  json["action"] = action.what;
  json["of"] = action.of;
  if (!action.text.empty()) json["text"] = action.text;
  return AppendLine(directory_, kName, JsonLine(json));
}

Result<std::optional<ActionLog::Summary>> ActionLog::Recorded() const {
  auto text = ReadFile(SystemFiles(), directory_ + "/" + kName, kBytesMax);
  if (!text) return std::unexpected(text.error());
  Summary summary;
  VisitJsonLines(text->value_or(""), [&](const nlohmann::json& json) {
    summary.last = {.at_us = json.at("at_us").get<std::uint64_t>(),
                    .by = json.at("by").get<std::string>(),
                    .what = json.at("action").get<std::string>(),
                    .of = json.at("of").get<std::string>(),
                    .text = json.value("text", "")};
    ++summary.count;
  });
  if (summary.count == 0) return std::nullopt;
  return summary;
}

}  // namespace outboxd
