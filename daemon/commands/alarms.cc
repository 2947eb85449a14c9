#include <fmt/format.h>

#include "daemon/checkpoint/alarm_log.h"
#include "daemon/commands/alarm_text.h"
#include "daemon/commands/checkpoint_text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/recorded_action.h"

namespace outboxd {

std::string AlarmsText(const std::vector<Alarm>& alarms) {
  std::string text;
  for (const Alarm& alarm : alarms) {
    text += fmt::format("  {:<10} {}  {}  {}\n", alarm.kind, alarm.position,
                        KnownTimeText(alarm.commit_us), alarm.text);
  }
  return text;
}

Result<void> AlarmsCommand(const Config& config, const CommandLine& line) {
  AlarmLog log(config.relay.state_directory);
  if (line.words.empty()) {
    const auto alarms = log.Standing();
    if (!alarms) return std::unexpected(alarms.error());
    fmt::print("{}", AlarmsText(*alarms));
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
