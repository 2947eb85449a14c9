#include "daemon/status/relay_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/escaped.h"
#include "base/json_line.h"
#include "base/size_text.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/checkpoint/held_event_json.h"

namespace outboxd {
namespace {

constexpr char kName[] = "status";
constexpr char kEnded[] = "ended";
constexpr std::size_t kBytesMax = std::size_t{16} << 20;

double SecondsSince(std::uint64_t then_us, std::uint64_t now_us) {
  return static_cast<double>(now_us - std::min(now_us, then_us)) / 1e6;
}

std::string_view PhaseText(RelayStatus::Phase phase) {
  switch (phase) {
    case RelayStatus::Phase::kPreparing:
      return "preparing";
    case RelayStatus::Phase::kInitialRead:
      return "initial read";
    case RelayStatus::Phase::kStreaming:
      return "streaming";
    case RelayStatus::Phase::kStopping:
      return "stopping";
  }
  return "";
}

// Neither is it about to begin, nor to end.
bool Relays(const RelayStatus& status) {
  return status.phase == RelayStatus::Phase::kInitialRead ||
         status.phase == RelayStatus::Phase::kStreaming;
}

std::string ReadText(const RelayStatus& status) {
  const std::uint64_t rows = RowsRead(*status.read);
  std::string text = fmt::format(": {} rows delivered", rows);
  if (status.read_rows_estimate > rows) {
    const double share = static_cast<double>(rows) / static_cast<double>(status.read_rows_estimate);
    text += fmt::format(", about {:.0f} % of {}", 100 * share, status.read_rows_estimate);
    if (status.rate >= 1) {
      const double left = static_cast<double>(status.read_rows_estimate - rows) / status.rate;
      text += fmt::format(", about {:.0f} s left", left);
    }
  }
  return text;
}

std::string OutageText(std::string_view side, const Outage& outage, std::uint64_t now_us) {
  return fmt::format("{} for {:.0f} s: {}", side, SecondsSince(outage.since_us, now_us),
                     outage.reason);
}

std::string HeldText(const HeldEvent& held, std::uint64_t now_us) {
  return fmt::format("holding at event {} for {:.0f} s{}{}", held.position,
                     SecondsSince(held.since_us, now_us), held.reason.empty() ? "" : ": ",
                     held.reason);
}

// Of sides and resources, not of events.
std::vector<std::string> OutageTexts(const RelayStatus& status, std::uint64_t now_us) {
  std::vector<std::string> texts;
  const auto add = [&](std::string_view side, const std::optional<Outage>& outage) {
    if (outage) texts.push_back(OutageText(side, *outage, now_us));
  };
  add("MySQL does not answer", status.source);
  add("MySQL is cut off from its group", status.cut_off);
  add("holding", status.room);
  add(status.receiver + " does not answer", status.sink);
  add("the state directory fails", status.state);
  return texts;
}

double SecondsOf(LagFacts::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::chrono::microseconds ElapsedSince(const RelayStatus& status, std::uint64_t now_us) {
  return std::chrono::microseconds(now_us - std::min(now_us, status.written_at_us));
}

// "; lag: 3.2 s, 1.4 MB of binary log"
std::string LagText(const RelayStatus& status, std::uint64_t now_us) {
  const auto lag = LagAfter(status.lag, ElapsedSince(status, now_us));
  std::string text;
  if (status.phase == RelayStatus::Phase::kPreparing) return text;
  if (lag && lag->count() == 0) {
    text = "; lag: 0 s";
  } else if (lag) {
    text = fmt::format("; lag: {:.1f} s", std::max(SecondsOf(*lag), 0.1));
  } else {
    text = "; lag: not known yet";
  }
  if (const auto& bytes = status.server.lag_bytes) {
    text += fmt::format(", {} of binary log", BytesText(*bytes));
  }
  return text;
}

// "; MySQL's clock is 3600.0 s behind"
std::string ClockText(const RelayStatus& status) {
  constexpr std::chrono::seconds kTold{1};
  const auto& ahead = status.server.clock_ahead;
  if (!ahead || std::chrono::abs(*ahead) < kTold) return {};
  return fmt::format("; MySQL's clock is {:.1f} s {}", SecondsOf(std::chrono::abs(*ahead)),
                     ahead->count() > 0 ? "ahead" : "behind");
}

}  // namespace

std::uint64_t RowsRead(const InitialRead& read) {
  std::uint64_t rows = 0;
  for (const TableReadState& table : read.tables) rows += table.rows;
  return rows;
}

std::optional<std::chrono::microseconds> OldestNeeded(const RelayStatus& status,
                                                      std::chrono::microseconds elapsed) {
  auto age = LagAfter(status.lag, elapsed);
  for (const HeldXa& held : status.held_xa) {
    if (!age || held.since_us == 0) return std::nullopt;
    const std::uint64_t now_us = status.written_at_us + std::uint64_t(elapsed.count());
    const std::uint64_t for_us = now_us - std::min(now_us, held.since_us);
    age = std::max(*age, std::chrono::microseconds(for_us));
  }
  return age;
}

std::string StatusLine(const RelayStatus& status, std::uint64_t now_us) {
  if (status.parked) return status.parked->reason;
  std::string text(PhaseText(status.phase));
  if (status.held) {
    text = HeldText(*status.held, now_us);
  } else if (status.phase == RelayStatus::Phase::kInitialRead && status.read) {
    text += ReadText(status);
  } else if (status.phase == RelayStatus::Phase::kStreaming) {
    text += fmt::format(": {}", DeliveredText(status.delivered, status.skipped));
    if (!status.file.empty()) text += fmt::format("; at {}:{}", status.file, status.offset);
  }
  for (const std::string& outage : OutageTexts(status, now_us)) text += "; " + outage;
  if (status.in_flight > 0) {
    text +=
        fmt::format("; {} message{} in flight", status.in_flight, status.in_flight == 1 ? "" : "s");
  }
  text += LagText(status, now_us);
  text += ClockText(status);
  if (const auto& log = status.server.log) {
    const std::string purge = PurgeText(*log, OldestNeeded(status, ElapsedSince(status, now_us)));
    if (!purge.empty()) text += "; " + purge;
  }
  if (!status.held_xa.empty()) {
    const HeldXa& oldest = status.held_xa.front();
    text += fmt::format("; {} prepared XA transaction{} held, the oldest {}", status.held_xa.size(),
                        status.held_xa.size() == 1 ? "" : "s", oldest.place);
    if (oldest.since_us != 0) {
      text += fmt::format(" for {:.0f} s", SecondsSince(oldest.since_us, now_us));
    }
  }
  if (status.alarms > 0) {
    text += fmt::format("; {} alarm{} standing", status.alarms, status.alarms == 1 ? "" : "s");
  }
  if (status.refused_reload) {
    text += fmt::format("; the configuration that was read again {:.0f} s ago is refused: {}",
                        SecondsSince(status.refused_reload->since_us, now_us),
                        status.refused_reload->reason);
  }
  return text;
}

std::vector<std::string> Hindrances(const RelayStatus& status, std::uint64_t now_us) {
  if (status.parked) return {status.parked->reason};
  std::vector<std::string> texts = OutageTexts(status, now_us);
  if (status.held) texts.insert(texts.begin(), HeldText(*status.held, now_us));
  if (!Relays(status)) texts.emplace_back(PhaseText(status.phase));
  return texts;
}

bool IsHindered(const RelayStatus& status) {
  return status.parked || status.held || status.source || status.cut_off || status.room ||
         status.sink || status.state;
}

bool IsReady(const RelayStatus& status) { return Relays(status) && !IsHindered(status); }

std::string ReminderText(const RelayStatus& status, std::uint64_t now_us) {
  std::string text = "still " + StatusLine(status, now_us);
  if (!status.held) return text;
  const std::string& hint = status.held->hint;
  return WithHint(text, fmt::format("{}{}'outboxd skip {}' drops this event, and it only", hint,
                                    hint.empty() ? "" : "; ", status.held->position));
}

std::string DeliveredText(std::uint64_t delivered, std::uint64_t skipped) {
  return fmt::format("{} event{} delivered{}", delivered, delivered == 1 ? "" : "s",
                     skipped == 0 ? "" : fmt::format(", {} skipped", skipped));
}

Result<void> WriteStatus(const std::string& directory, const RelayStatus& status) {
  nlohmann::ordered_json json;
  json["line"] = StatusLine(status, status.written_at_us);
  json["phase"] = PhaseText(status.phase);
  json["delivered"] = status.delivered;
  json["skipped"] = status.skipped;
  json["in_flight"] = status.in_flight;
  json["rate"] = status.rate;
  if (const auto lag = LagAfter(status.lag)) json["lag_seconds"] = SecondsOf(*lag);
  if (status.server.lag_bytes) json["lag_bytes"] = *status.server.lag_bytes;
  if (!status.health_socket.empty()) json["health_socket"] = status.health_socket;
  json["written_at_us"] = status.written_at_us;
  return ReplaceFile(SystemFiles(), directory, kName, JsonLine(json));
}

Result<void> WriteRunEnd(const std::string& directory, const RunEnd& end) {
  const auto contents = ReadFile(SystemFiles(), directory + "/" + kName, kBytesMax);
  nlohmann::ordered_json json;
  if (contents && *contents) json = nlohmann::ordered_json::parse(**contents, nullptr, false);
  if (!json.is_object()) json = {{"line", ""}, {"written_at_us", end.at_us}};
  json[kEnded] = {{"at_us", end.at_us}, {"exit_code", end.exit_code}, {"text", end.text}};
  return ReplaceFile(SystemFiles(), directory, kName, JsonLine(json));
}

Result<std::optional<StoredStatus>> ReadStatus(const std::string& directory) {
  const std::string path = directory + "/" + kName;
  const auto contents = ReadFile(SystemFiles(), path, kBytesMax);
  if (!contents) return std::unexpected(contents.error());
  if (!*contents) return std::nullopt;
  try {
    const nlohmann::json json = nlohmann::json::parse(**contents);
    StoredStatus status{.line = json.at("line"), .written_at_us = json.at("written_at_us")};
    status.health_socket = json.value("health_socket", "");
    if (const auto end = json.find(kEnded); end != json.end()) {
      status.end = RunEnd{
          .at_us = end->at("at_us"), .exit_code = end->at("exit_code"), .text = end->at("text")};
    }
    return status;
  } catch (const nlohmann::json::exception& exception) {
    return Unreadable(path, exception);
  }
}

}  // namespace outboxd
