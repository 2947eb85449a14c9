#include "daemon/checkpoint/alarm_log.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "daemon/checkpoint/file_system.h"
#include "daemon/service/log.h"

namespace outboxd {

namespace {

constexpr char kAlarms[] = "alarms.jsonl";
constexpr char kAcknowledged[] = "alarms.acknowledged";
constexpr std::size_t kBytesMax = std::size_t{64} << 20;

// An alarm is for people: text that is not UTF-8 after all is mended rather than refused.
std::string JsonLine(const Alarm& alarm) {
  nlohmann::ordered_json json;
  json["kind"] = alarm.kind;
  json["position"] = alarm.position;
  json["text"] = alarm.text;
  json["commit_us"] = alarm.commit_us;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// None: half a line that a crash left.
std::optional<Alarm> Parse(std::string_view line) {
  try {
    const auto json = nlohmann::json::parse(line);
    return Alarm{.kind = json.at("kind").get<std::string>(),
                 .position = json.at("position").get<std::string>(),
                 .text = json.at("text").get<std::string>(),
                 .commit_us = json.at("commit_us").get<std::uint64_t>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

Result<std::string> ReadOrEmpty(const std::string& path) {
  auto text = ReadFile(SystemFiles(), path, kBytesMax);
  if (!text) return std::unexpected(text.error());
  return std::move(*text).value_or(std::string());
}

}  // namespace

Result<std::vector<Alarm>> AlarmLog::Standing() const {
  const auto all = ReadOrEmpty(directory_ + "/" + kAlarms);
  if (!all) return std::unexpected(all.error());
  const auto acknowledged = ReadOrEmpty(directory_ + "/" + kAcknowledged);
  if (!acknowledged) return std::unexpected(acknowledged.error());
  std::size_t begin = 0;
  std::from_chars(acknowledged->data(), acknowledged->data() + acknowledged->size(), begin);
  std::vector<Alarm> alarms;
  for (std::size_t end = 0; begin < all->size(); begin = end + 1) {
    end = std::min(all->find('\n', begin), all->size());
    if (auto alarm = Parse(std::string_view(*all).substr(begin, end - begin))) {
      alarms.push_back(std::move(*alarm));
    }
  }
  return alarms;
}

Result<void> AlarmLog::Record(const Alarm& alarm) {
  const auto standing = Standing();
  if (!standing) return std::unexpected(standing.error());
  const bool is_known = std::ranges::any_of(*standing, [&](const Alarm& other) {
    return other.kind == alarm.kind && other.position == alarm.position;
  });
  if (is_known || standing->size() >= kStandingMax) return {};
  if (auto mended = ForgetDeleted(); !mended) return mended;
  return AppendLine(directory_, kAlarms, JsonLine(alarm));
}

// A file that was deleted begins anew: how much of the former one was acknowledged must not hide
// what it grows to.
Result<void> AlarmLog::ForgetDeleted() {
  const auto all = ReadOrEmpty(directory_ + "/" + kAlarms);
  if (!all) return std::unexpected(all.error());
  if (!all->empty()) return {};
  return RemoveFile(SystemFiles(), directory_, kAcknowledged);
}

Result<void> AlarmLog::Acknowledge() {
  const auto all = ReadOrEmpty(directory_ + "/" + kAlarms);
  if (!all) return std::unexpected(all.error());
  return ReplaceFile(SystemFiles(), directory_, kAcknowledged, std::to_string(all->size()) + "\n");
}

}  // namespace outboxd
