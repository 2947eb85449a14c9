#include <array>
#include <string_view>

#include "base/json_line.h"
#include "daemon/commands/relay_view.h"

namespace outboxd {
namespace {

using Json = nlohmann::ordered_json;

std::string_view NameOf(Verdict verdict) {
  static constexpr std::array<std::string_view, 3> kNames = {"healthy", "degraded", "down"};
  return kNames[static_cast<std::size_t>(verdict)];
}

// A time of day, in seconds since the epoch.
Json TimeOrNull(std::uint64_t time_us) {
  return time_us == 0 ? Json() : Json(static_cast<double>(time_us) / 1e6);
}

Json EndOf(const RelayView& view) {
  const bool has_ended = !view.process && view.told.is_null() && view.stored;
  if (!has_ended) return {};
  const auto& end = view.stored->end;
  // Killed, or the machine went down.
  if (!end) return {{"at", TimeOrNull(view.stored->written_at_us)}, {"code", Json()}, {"text", ""}};
  return {{"at", TimeOrNull(end->at_us)}, {"code", end->exit_code}, {"text", end->text}};
}

Json CheckpointOf(const RelayView& view) {
  if (!view.checkpoint) return {};
  const Checkpoint& checkpoint = *view.checkpoint;
  return {{"gtids", checkpoint.position.gtids.ToText()},
          {"file", checkpoint.position.file},
          {"offset", checkpoint.position.offset},
          {"server", checkpoint.server_uuid},
          {"sink", checkpoint.sink},
          {"tables", checkpoint.tables},
          {"last_commit_at", TimeOrNull(checkpoint.last_commit_us)},
          {"written_at", TimeOrNull(checkpoint.written_at_us)}};
}

Json EventOf(const HeldEvent& event) {
  return {{"position", event.position},
          {"id", event.id},
          {"table", event.table},
          {"topic", event.topic},
          {"since", TimeOrNull(event.since_us)},
          {"reason", event.reason},
          {"hint", event.hint}};
}

Json AlarmsOf(const RelayView& view) {
  Json alarms = Json::array();
  for (const Alarm& alarm : view.alarms) {
    alarms.push_back({{"kind", alarm.kind},
                      {"position", alarm.position},
                      {"committed_at", TimeOrNull(alarm.commit_us)},
                      {"text", alarm.text}});
  }
  return alarms;
}

}  // namespace

std::string RelayViewJson(const RelayView& view) {
  Json json;
  json["relay"] = view.relay;
  json["verdict"] = NameOf(Judge(view));
  json["process"] = view.process ? Json(*view.process) : Json();
  json["silence"] = view.process && view.told.is_null() ? Json(view.silence) : Json();
  json["status"] = Json(view.told);
  json["ended"] = EndOf(view);
  json["checkpoint"] = CheckpointOf(view);
  json["held"] = view.held ? EventOf(*view.held) : Json();
  json["dead_letters"] = {{"count", view.dead ? view.dead->count : 0},
                          {"replayed", view.replayed.size()},
                          {"last", view.dead ? EventOf(view.dead->last) : Json()}};
  json["alarms"] = AlarmsOf(view);
  if (view.actions) {
    const Action& last = view.actions->last;
    json["last_action"] = {{"at", TimeOrNull(last.at_us)},
                           {"by", last.by},
                           {"what", last.what},
                           {"of", last.of},
                           {"text", last.text}};
  } else {
    json["last_action"] = Json();
  }
  return JsonLine(json);
}

}  // namespace outboxd
