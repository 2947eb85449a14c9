#include "daemon/checkpoint/held_event_json.h"

#include "base/escaped.h"

namespace outboxd {

namespace {

// Earlier versions wrote the hint behind the reason.
void TakeHintApart(HeldEvent& held) {
  const TextAndHint both = SplitHint(held.reason);
  held.hint = both.hint;
  held.reason.resize(both.text.size());
}

}  // namespace

nlohmann::ordered_json ToJson(const HeldEvent& held) {
  nlohmann::ordered_json json;
  json["position"] = held.position;
  json["id"] = held.id;
  json["table"] = held.table;
  json["topic"] = held.topic;
  json["reason"] = held.reason;
  json["hint"] = held.hint;
  json["since_us"] = held.since_us;
  return json;
}

HeldEvent HeldFromJson(const nlohmann::json& json) {
  HeldEvent held;
  json.at("position").get_to(held.position);
  json.at("id").get_to(held.id);
  json.at("table").get_to(held.table);
  json.at("topic").get_to(held.topic);
  json.at("reason").get_to(held.reason);
  if (const auto hint = json.find("hint"); hint != json.end()) {
    hint->get_to(held.hint);
  } else {
    TakeHintApart(held);
  }
  json.at("since_us").get_to(held.since_us);
  return held;
}

std::unexpected<Error> Unreadable(const std::string& path, const nlohmann::json::exception& why) {
  return Fail(ExitCode::kState, "{}: not what outboxd writes: {}", Escaped(path),
              Escaped(why.what()))
      .Hint("remove the file");
}

}  // namespace outboxd
