#include "daemon/relay/failover_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/escaped.h"
#include "base/json_line.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

constexpr char kKind[] = "lost";
constexpr char kLost[] = "lost.jsonl";
constexpr std::size_t kIdsInText = 20;

std::string EventsText(const JournalFindings& findings, const std::string& directory,
                       FailoverWatch::Road road) {
  if (road == FailoverWatch::Road::kInitialRead) {
    return "rows that they inserted may have been published by the initial read: compare the event"
           " table with the topic";
  }
  const std::size_t count = findings.events.size();
  if (count == 0 && findings.without_id == 0) {
    return findings.is_cut ? "which events were published of them is not known: the journal does"
                             " not reach back so far"
                           : "no event was published of them";
  }
  std::string text = fmt::format("{} event{} published of them: ", count + findings.without_id,
                                 count + findings.without_id == 1 ? " was" : "s were");
  std::string_view table;
  for (std::size_t i = 0; i < std::min(count, kIdsInText); ++i) {
    const PublishedEvent& event = findings.events[i];
    if (i > 0) text += ", ";
    if (event.table != table) text += Escaped(event.table) + " ";
    text += "id " + Escaped(event.id);
    table = event.table;
  }
  if (count > kIdsInText) text += fmt::format(", and {} more", count - kIdsInText);
  if (findings.without_id > 0) text += fmt::format(", {} of unknown id", findings.without_id);
  if (findings.is_cut) text += "; earlier ones may be missing here: the journal begins with these";
  if (!directory.empty()) text += fmt::format("; the ids stand in {}/{}", directory, kLost);
  return text;
}

std::string JsonLines(const JournalFindings& findings) {
  std::string lines;
  for (const PublishedEvent& event : findings.events) {
    nlohmann::ordered_json json;
    json["gtid"] = event.gtid;
    json["table"] = event.table;
    json["id"] = event.id;
    json["commit_us"] = event.commit_us;
    lines += JsonLine(json);
  }
  return lines;
}

}  // namespace

Result<binlog::GtidSet> FailoverWatch::OnLost(const binlog::GtidSet& lost, const Servers& servers,
                                              std::string_view unwritten_events, Road road) {
  JournalFindings findings;
  findings.is_cut = parts_.journal == nullptr;
  if (parts_.journal != nullptr) {
    auto found = parts_.journal->Find(lost, unwritten_events);
    if (!found) return std::unexpected(found.error());
    findings = std::move(*found);
  }
  const std::string text = fmt::format(
      "the failover from server {} to server {} lost {} transaction{} that {} already read: {}; {}",
      servers.former_uuid, servers.new_uuid, lost.count(), lost.count() == 1 ? "" : "s",
      lost.count() == 1 ? "was" : "were", lost.ToText(), EventsText(findings, directory_, road));
  if (auto recorded = Record(lost, findings, text); !recorded) {
    return std::unexpected(recorded.error());
  }
  if (on_lost_ == DeliveryConfig::OnLostTransactions::kStop) {
    return Fail(ExitCode::kDiverged, "{}", text)
        .Hint(
            "undo what these events caused; 'delivery.on-lost-transactions = continue' goes on "
            "with what the new server has");
  }
  const std::string gtids = lost.ToText();
  Log(LogLevel::kError, {.notice = Notice::kLostAlarm, .gtid = gtids},
      fmt::format("ALARM: {}; going on with what the new server has", text));
  return findings.decided.Minus(lost);
}

// Once, also when the same failover is met again.
Result<void> FailoverWatch::Record(const binlog::GtidSet& lost, const JournalFindings& findings,
                                   const std::string& text) {
  if (parts_.alarms == nullptr) return {};
  const auto standing = parts_.alarms->Standing();
  if (!standing) return std::unexpected(standing.error());
  const Alarm alarm{.kind = kKind,
                    .position = lost.ToText(),
                    .text = text,
                    .commit_us = findings.events.empty() ? 0 : findings.events.back().commit_us};
  const bool is_known = std::ranges::any_of(*standing, [&alarm](const Alarm& other) {
    return other.kind == alarm.kind && other.position == alarm.position;
  });
  if (is_known) return {};
  if (!directory_.empty() && !findings.events.empty()) {
    if (auto written = AppendLine(directory_, kLost, JsonLines(findings)); !written) {
      return written;
    }
  }
  return parts_.alarms->Record(alarm);
}

void FailoverWatch::OnUnseen(const binlog::GtidSet& unseen, const Servers& servers) {
  spdlog::warn(
      "server {} has transactions of UUIDs that server {} did not have: {}; their events are"
      " published. Those that were committed before the failover are errant transactions",
      servers.new_uuid, servers.former_uuid, unseen.ToText());
}

}  // namespace outboxd
