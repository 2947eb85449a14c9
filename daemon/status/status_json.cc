#include "daemon/status/status_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_line.h"
#include "daemon/status/relay_state.h"

namespace outboxd {
namespace {

using Json = nlohmann::ordered_json;

double Seconds(std::chrono::microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

double SecondsSince(std::uint64_t then_us, std::uint64_t now_us) {
  return static_cast<double>(now_us - std::min(now_us, then_us)) / 1e6;
}

Json OrNull(const std::optional<std::chrono::microseconds>& duration) {
  return duration ? Json(Seconds(*duration)) : Json();
}

Json OrNull(const std::optional<std::uint64_t>& number) { return number ? Json(*number) : Json(); }

// A time of day, in seconds since the epoch.
Json TimeOrNull(std::uint64_t time_us) {
  return time_us == 0 ? Json() : Json(static_cast<double>(time_us) / 1e6);
}

Json OrNull(const std::optional<Outage>& outage, std::uint64_t now_us) {
  if (!outage) return {};
  return {{"for_seconds", SecondsSince(outage->since_us, now_us)}, {"reason", outage->reason}};
}

Json OrNull(const std::optional<HeldEvent>& held, std::uint64_t now_us) {
  if (!held) return {};
  return {{"position", held->position},
          {"id", held->id},
          {"table", held->table},
          {"topic", held->topic},
          {"for_seconds", SecondsSince(held->since_us, now_us)},
          {"reason", held->reason},
          {"hint", held->hint}};
}

Json TablesOf(const DeliveryCounts& counts) {
  Json tables = Json::array();
  for (const TableCounts& table : counts.tables) {
    tables.push_back({{"table", table.table}, {"events", table.events}, {"bytes", table.bytes}});
  }
  return tables;
}

Json ReadOf(const RelayStatus& status) {
  if (!status.read) return {};
  const std::uint64_t rows = RowsRead(*status.read);
  const std::uint64_t estimate = status.read_rows_estimate;
  const auto left = static_cast<double>(estimate - std::min(estimate, rows));
  return {{"rows", rows},
          {"rows_estimated", estimate == 0 ? Json() : Json(estimate)},
          {"seconds_left", estimate > rows && status.rate >= 1 ? Json(left / status.rate) : Json()},
          {"begun_at", TimeOrNull(status.read->begun_us)}};
}

Json LogOf(const RelayStatus& status) {
  const auto& log = status.server.log;
  if (!log) return {};
  const auto kept = log->keeping.kept();
  return {{"oldest_file", log->keeping.oldest_file},
          {"needed_file", log->needed_file.empty() ? Json() : Json(log->needed_file)},
          {"is_gone", log->is_gone},
          {"kept_seconds", kept ? Json(kept->count()) : Json()},
          {"is_seen", log->keeping.is_seen()}};
}

Json MarginOf(const RelayStatus& status, std::chrono::microseconds age) {
  if (!status.server.log) return {};
  const auto margin = PurgeMargin(*status.server.log, OldestNeeded(status, age));
  return margin == kNeverPurged ? Json() : OrNull(margin);
}

Json PurgeWarningOf(const RelayStatus& status, std::chrono::microseconds age) {
  if (!status.server.log) return {};
  const std::string text = PurgeText(*status.server.log, OldestNeeded(status, age));
  return text.empty() ? Json() : Json(text);
}

Json XaOf(const RelayStatus& status, std::uint64_t now_us) {
  Json held = Json::array();
  for (const HeldXa& xa : status.held_xa) {
    held.push_back(
        {{"xid", xa.xid},
         {"place", xa.place},
         {"for_seconds", xa.since_us == 0 ? Json() : Json(SecondsSince(xa.since_us, now_us))}});
  }
  return held;
}

}  // namespace

std::string StatusJson(const StatusView& view) {
  const RelayStatus& status = view.status;
  const std::uint64_t now_us = view.now_us;
  Json json;
  json["relay"] = view.relay;
  json["version"] = view.version;
  json["state"] = NameOf(StateOf(status));
  json["ready"] = IsReady(status);
  json["line"] = StatusLine(status, now_us);
  json["reasons"] = Hindrances(status, now_us);
  json["lag_seconds"] = OrNull(LagAfter(status.lag, view.age));
  json["lag_bytes"] = OrNull(status.server.lag_bytes);
  json["rate"] = status.rate;
  json["delivered"] = status.delivered;
  json["skipped"] = status.skipped;
  json["dead_letters"] = status.failures.dead_not_accepted + status.failures.dead_refused;
  json["in_flight"] = status.in_flight;
  json["in_flight_bytes"] = status.at_receiver.in_flight_bytes;
  json["tables"] = TablesOf(status.counts);
  json["position"] = {{"file", status.file}, {"offset", status.offset}};
  json["last_acknowledged_at"] = TimeOrNull(status.at_receiver.acknowledged_at_us);
  json["last_checkpoint_at"] = TimeOrNull(status.at_receiver.stored_at_us);
  json["held"] = OrNull(status.held, now_us);
  json["source_down"] = OrNull(status.source, now_us);
  json["sink_down"] = OrNull(status.sink, now_us);
  json["cut_off"] = OrNull(status.cut_off, now_us);
  json["no_room"] = OrNull(status.room, now_us);
  json["record_failed"] = OrNull(status.state, now_us);
  json["parked"] = OrNull(status.parked, now_us);
  json["reload_refused"] = OrNull(status.refused_reload, now_us);
  json["held_xa"] = XaOf(status, now_us);
  json["alarms"] = status.alarms;
  json["initial_read"] = ReadOf(status);
  json["spill_bytes"] = status.spill_bytes;
  json["log"] = LogOf(status);
  json["purge_margin_seconds"] = MarginOf(status, view.age);
  json["purge_warning"] = PurgeWarningOf(status, view.age);
  json["source_round_trip_seconds"] = OrNull(status.server.round_trip);
  json["sink_round_trip_seconds"] = OrNull(status.at_receiver.round_trip);
  json["clock_difference_seconds"] = OrNull(status.server.clock_ahead);
  json["status_age_seconds"] = Seconds(view.age);
  return JsonLine(json);
}

std::string ReadyJson(bool is_ready, const std::vector<std::string>& reasons,
                      const std::string& text) {
  return JsonLine(Json{{"ready", is_ready}, {"reasons", reasons}, {"text", text}});
}

}  // namespace outboxd
