#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/escaped.h"
#include "daemon/checkpoint/action_log.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/dead_letter_log.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/checkpoint_text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/recorded_action.h"
#include "daemon/service/clock.h"
#include "daemon/status/relay_status.h"

namespace outboxd {
namespace {

void PrintAlarms(const std::vector<Alarm>& alarms) {
  for (const Alarm& alarm : alarms) {
    fmt::print("  {:<10} {}  {}  {}\n", alarm.kind, alarm.position, KnownTimeText(alarm.commit_us),
               alarm.text);
  }
}

void PrintDeadLetters(const DeadLetterCount& dead, const ReplayedEvents& replayed) {
  const HeldEvent& last = dead.last;
  const bool is_replayed = replayed.contains(last.position);
  fmt::print("dead letters  {}{}, the last one{} {} (id {}) of table {} at {}: {}\n", dead.count,
             replayed.empty() ? "" : fmt::format(", {} of them replayed", replayed.size()),
             is_replayed ? ", replayed since," : "", last.position, Escaped(last.id), last.table,
             KnownTimeText(last.since_us), WithHint(last.reason, last.hint));
}

void PrintActions(const ActionLog::Summary& actions) {
  const Action& last = actions.last;
  fmt::print("actions       {}, the last one: {} {} by {} at {}\n", actions.count,
             Escaped(last.what), Escaped(last.of, 200), Escaped(last.by),
             KnownTimeText(last.at_us));
}

// outboxd never shortens these files: when one has grown large, somebody should know.
void PrintLargeFiles(const std::string& directory) {
  constexpr std::uintmax_t kBytesWorthTelling = 1 << 20;
  std::string large;
  for (const char* name : {"skipped.jsonl", "lost.jsonl", "replayed.jsonl", "actions.jsonl"}) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(directory + "/" + name, error);
    if (error || bytes < kBytesWorthTelling) continue;
    large += fmt::format("{}{} {:.1f} MB", large.empty() ? "" : ", ", name,
                         static_cast<double>(bytes) / 1e6);
  }
  if (!large.empty()) fmt::print("files         {} (kept until somebody removes them)\n", large);
}

// As the running relay told it last; what it has begun to hold at since then it told elsewhere.
void PrintDoing(const StoredStatus& stored, const std::optional<HeldEvent>& held) {
  const std::uint64_t now_us = SystemClock().WallMicroseconds();
  const bool holds_since = held && held->since_us > stored.written_at_us;
  const std::uint64_t told_at_us = holds_since ? held->since_us : stored.written_at_us;
  const std::uint64_t age_us = now_us - std::min(now_us, told_at_us);
  fmt::print("doing         {} (as of {} s ago)\n",
             holds_since ? "holding at event " + held->position : Escaped(stored.line, 1000),
             age_us / 1'000'000);
}

void PrintEnd(const StoredStatus& stored) {
  if (!stored.end) {
    fmt::print("ended         without a word, behind {}: killed, or the machine went down\n",
               KnownTimeText(stored.written_at_us));
    return;
  }
  const bool is_stop = stored.end->exit_code == 0 && stored.end->text.empty();
  fmt::print("ended         {} with code {}: {}\n", KnownTimeText(stored.end->at_us),
             stored.end->exit_code, is_stop ? "it was stopped" : Escaped(stored.end->text, 2000));
}

}  // namespace

Result<void> StatusCommand(const Config& config) {
  const StateDirectory state(config.relay.state_directory);
  auto holder = state.LockHolder();
  if (!holder) return std::unexpected(holder.error());
  auto checkpoint = CheckpointFile(config.relay.state_directory, config.relay.name).Load();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  auto held = state.ReadHeld();
  if (!held) return std::unexpected(held.error());
  auto dead = DeadLetterLog(state.path()).Counted();
  if (!dead) return std::unexpected(dead.error());
  auto replayed = DeadLetterLog(state.path()).Replayed();
  if (!replayed) return std::unexpected(replayed.error());
  auto alarms = AlarmLog(state.path()).Standing();
  if (!alarms) return std::unexpected(alarms.error());
  auto actions = ActionLog(state.path()).Recorded();
  if (!actions) return std::unexpected(actions.error());

  fmt::print("process       {}\n", *holder ? std::to_string(**holder) : "not running");
  // Without it everything else is as good.
  if (const auto stored = ReadStatus(state.path()); stored && *stored) {
    if (*holder) {
      PrintDoing(**stored, *held);
    } else {
      PrintEnd(**stored);
    }
  }
  if (*checkpoint) {
    PrintCheckpoint(**checkpoint);
  } else {
    fmt::print("checkpoint    none yet\n");
  }
  if (*held) {
    fmt::print("held          {} (id {}) of table {} since {}: {}\n", (*held)->position,
               Escaped((*held)->id), (*held)->table, KnownTimeText((*held)->since_us),
               WithHint((*held)->reason, (*held)->hint));
  }
  if (*dead) PrintDeadLetters(**dead, *replayed);
  const std::string_view hint =
      alarms->empty() ? "" : "'outboxd alarms acknowledge' when they are dealt with";
  fmt::print("alarms        {}\n", WithHint(std::to_string(alarms->size()), hint));
  PrintAlarms(*alarms);
  if (*actions) PrintActions(**actions);
  PrintLargeFiles(state.path());
  return {};
}

Result<void> AlarmsCommand(const Config& config, const CommandLine& line) {
  AlarmLog log(config.relay.state_directory);
  if (line.words.empty()) {
    const auto alarms = log.Standing();
    if (!alarms) return std::unexpected(alarms.error());
    PrintAlarms(*alarms);
    return {};
  }
  if (line.words.size() != 1 || line.words[0] != "acknowledge") {
    return Fail(ExitCode::kUsage, "usage: outboxd alarms [acknowledge]");
  }
  const auto acknowledged =
      log.Acknowledge([&](const std::vector<Alarm>& standing) -> Result<void> {
        for (const Alarm& alarm : standing) {
          const std::string text = fmt::format("{}: {}", alarm.kind, alarm.text);
          auto recorded = RecordAction(config, "acknowledge", alarm.position, text);
          if (!recorded) return recorded;
        }
        return {};
      });
  if (!acknowledged) return std::unexpected(acknowledged.error());
  fmt::print("{} alarms acknowledged\n", acknowledged->size());
  return {};
}

}  // namespace outboxd
