#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/escaped.h"
#include "base/size_text.h"
#include "base/time_text.h"
#include "daemon/commands/alarm_text.h"
#include "daemon/commands/checkpoint_text.h"
#include "daemon/commands/relay_view.h"
#include "daemon/commands/terminal.h"

namespace outboxd {
namespace {

using nlohmann::json;

Colour ColourOf(const RelayView& view) {
  switch (Judge(view)) {
    case Verdict::kHealthy:
      return Colour::kGreen;
    case Verdict::kDegraded:
      return view.held ? Colour::kRed : Colour::kYellow;
    case Verdict::kDown:
      return Colour::kRed;
  }
  return Colour::kNone;
}

// Collects the lines: a word, and what it says.
class Lines {
 public:
  void Add(std::string_view word, std::string_view text) {
    text_ += fmt::format("{:<12}  {}\n", word, text);
  }
  void Append(std::string_view lines) { text_ += lines; }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// A number of the relay's answer; none: it is not known.
std::optional<double> NumberIn(const json& told, const char* field) {
  const auto value = told.find(field);
  if (value == told.end() || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::string DurationIn(double seconds) {
  return DurationText(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

// As the running relay told it last; what it has begun to hold at since then it told elsewhere.
std::string StoredDoing(const RelayView& view, std::uint64_t now_us) {
  const StoredStatus& stored = *view.stored;
  const bool holds_since = view.held && view.held->since_us > stored.written_at_us;
  const std::uint64_t told_at_us = holds_since ? view.held->since_us : stored.written_at_us;
  const std::uint64_t age_us = now_us - std::min(now_us, told_at_us);
  return fmt::format(
      "{} (as of {} s ago)",
      holds_since ? "holding at event " + view.held->position : Escaped(stored.line, 1000),
      age_us / 1'000'000);
}

std::string EndText(const StoredStatus& stored) {
  if (!stored.end) {
    return fmt::format("without a word, behind {}: killed, or the machine went down",
                       KnownTimeText(stored.written_at_us));
  }
  const bool is_stop = stored.end->exit_code == 0 && stored.end->text.empty();
  return fmt::format("{} with code {}: {}", KnownTimeText(stored.end->at_us), stored.end->exit_code,
                     is_stop ? "it was stopped" : Escaped(stored.end->text, 2000));
}

// For how long an outage that begins now is safe.
std::string SafeOutageText(const json& told) {
  const json log = told.value("log", json());
  if (!log.is_object()) return "not known";
  const auto margin = NumberIn(told, "purge_margin_seconds");
  if (!NumberIn(log, "kept_seconds")) {
    return log.value("is_gone", false) ? "none" : "no end: MySQL keeps its log for ever";
  }
  if (!margin) return "not known";
  const std::string how =
      log.value("is_seen", false)
          ? fmt::format("by MySQL's oldest log, {}", Escaped(log.value("oldest_file", "")))
          : std::string("as MySQL is set");
  return fmt::format("{}, {}", DurationIn(*margin), how);
}

std::string ReadBar(const json& read) {
  const auto rows = NumberIn(read, "rows").value_or(0);
  const auto estimated = NumberIn(read, "rows_estimated");
  if (!estimated) return fmt::format("{:.0f} rows", rows);
  std::string text =
      fmt::format("{}, {:.0f} of about {:.0f} rows",
                  BarText(static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(*estimated)),
                  rows, *estimated);
  if (const auto left = NumberIn(read, "seconds_left")) {
    text += fmt::format(", about {} left", DurationIn(*left));
  }
  return text;
}

void AddTold(const json& told, Lines& lines) {
  lines.Add("doing", Escaped(told.value("line", ""), 1000));
  const double rate = NumberIn(told, "rate").value_or(0);
  lines.Add("rate", fmt::format("{:.{}f} events/s", rate, rate > 0 && rate < 10 ? 1 : 0));
  const auto in_flight = static_cast<std::uint64_t>(NumberIn(told, "in_flight").value_or(0));
  const auto bytes = static_cast<std::uint64_t>(NumberIn(told, "in_flight_bytes").value_or(0));
  lines.Add("in flight", fmt::format("{} message{}, {}", in_flight, in_flight == 1 ? "" : "s",
                                     BytesText(bytes)));
  lines.Add("safe outage", SafeOutageText(told));
  if (const json read = told.value("initial_read", json()); read.is_object()) {
    lines.Add("read", ReadBar(read));
  }
}

// outboxd never shortens these files: when one has grown large, somebody should know.
std::string LargeFiles(const std::string& directory) {
  constexpr std::uintmax_t kBytesWorthTelling = 1 << 20;
  std::string large;
  for (const char* name : {"skipped.jsonl", "lost.jsonl", "replayed.jsonl", "actions.jsonl"}) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(directory + "/" + name, error);
    if (error || bytes < kBytesWorthTelling) continue;
    large += fmt::format("{}{} {}", large.empty() ? "" : ", ", name, BytesText(bytes));
  }
  return large;
}

std::string DeadLettersText(const DeadLetterCount& dead, const ReplayedEvents& replayed) {
  const HeldEvent& last = dead.last;
  const bool is_replayed = replayed.contains(last.position);
  return fmt::format("{}{}, the last one{} {} (id {}) of table {} at {}: {}", dead.count,
                     replayed.empty() ? "" : fmt::format(", {} of them replayed", replayed.size()),
                     is_replayed ? ", replayed since," : "", last.position, Escaped(last.id),
                     last.table, KnownTimeText(last.since_us), WithHint(last.reason, last.hint));
}

std::string ActionsText(const ActionLog::Summary& actions) {
  const Action& last = actions.last;
  return fmt::format("{}, the last one: {} {} by {} at {}", actions.count, Escaped(last.what),
                     Escaped(last.of, 200), Escaped(last.by), KnownTimeText(last.at_us));
}

}  // namespace

std::string RelayViewText(const RelayView& view, std::uint64_t now_us, bool takes_colours) {
  Lines lines;
  const auto coloured = [&](std::string_view text) {
    return Coloured(text, ColourOf(view), takes_colours);
  };
  const bool is_parked = view.told.is_object() && view.told.value("state", "") == "parked";
  if (is_parked) {
    lines.Add("process", coloured("parked: it has ended, and waits for a person"));
  } else if (!view.process) {
    lines.Add("process", coloured("not running"));
  } else if (view.told.is_null()) {
    lines.Add("process",
              coloured(fmt::format("{}, which does not answer: {}", *view.process, view.silence)));
  } else {
    const std::string state = Escaped(view.told.value("state", ""), 40);
    lines.Add("process", fmt::format("{}, {}", *view.process, coloured(state)));
  }
  if (view.told.is_object()) {
    AddTold(view.told, lines);
  } else if (view.stored) {
    view.process ? lines.Add("doing", StoredDoing(view, now_us))
                 : lines.Add("ended", EndText(*view.stored));
  }
  if (view.checkpoint) {
    lines.Append(CheckpointText(*view.checkpoint));
  } else {
    lines.Add("checkpoint", view.checkpoint_error ? "cannot be read" : "none yet");
  }
  if (view.held) {
    lines.Add("held", fmt::format("{} (id {}) of table {} since {}: {}", view.held->position,
                                  Escaped(view.held->id), view.held->table,
                                  KnownTimeText(view.held->since_us),
                                  WithHint(view.held->reason, view.held->hint)));
  }
  if (view.dead) lines.Add("dead letters", DeadLettersText(*view.dead, view.replayed));
  const std::string_view hint =
      view.alarms.empty() ? "" : "'outboxd alarms acknowledge' when they are dealt with";
  lines.Add("alarms", WithHint(std::to_string(view.alarms.size()), hint));
  lines.Append(AlarmsText(view.alarms));
  if (view.actions) lines.Add("actions", ActionsText(*view.actions));
  if (const std::string large = LargeFiles(view.directory); !large.empty()) {
    lines.Add("files", large + " (kept until somebody removes them)");
  }
  return lines.Take();
}

}  // namespace outboxd
