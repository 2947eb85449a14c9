#include <fmt/format.h>

#include <algorithm>

#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/dead_letter_log.h"
#include "daemon/checkpoint/relay_status.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/checkpoint_text.h"
#include "daemon/commands/commands.h"
#include "daemon/service/clock.h"
#include "daemon/text/escaped.h"

namespace outboxd {
namespace {

void PrintAlarms(const std::vector<Alarm>& alarms) {
  for (const Alarm& alarm : alarms) {
    fmt::print("  {:<10} {}  {}  {}\n", alarm.kind, alarm.position, TimeText(alarm.commit_us),
               alarm.text);
  }
}

void PrintDeadLetters(const DeadLetterCount& dead, const ReplayedEvents& replayed) {
  const HeldEvent& last = dead.last;
  const bool is_replayed = replayed.contains(last.position);
  fmt::print("dead letters  {}{}, the last one{} {} (id {}) of table {} at {}: {}\n", dead.count,
             replayed.empty() ? "" : fmt::format(", {} of them replayed", replayed.size()),
             is_replayed ? ", replayed since," : "", last.position, Escaped(last.id), last.table,
             TimeText(last.since_us), last.reason);
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
               TimeText(stored.written_at_us));
    return;
  }
  const bool is_stop = stored.end->exit_code == 0 && stored.end->text.empty();
  fmt::print("ended         {} with code {}: {}\n", TimeText(stored.end->at_us),
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
               Escaped((*held)->id), (*held)->table, TimeText((*held)->since_us), (*held)->reason);
  }
  if (*dead) PrintDeadLetters(**dead, *replayed);
  fmt::print("alarms        {}{}\n", alarms->size(),
             alarms->empty() ? "" : " HINT: 'outboxd alarms acknowledge' when they are dealt with");
  PrintAlarms(*alarms);
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
  const auto acknowledged = log.Acknowledge();
  if (!acknowledged) return std::unexpected(acknowledged.error());
  fmt::print("{} alarms acknowledged\n", acknowledged->size());
  return {};
}

}  // namespace outboxd
