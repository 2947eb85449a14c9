#include <fmt/core.h>

#include "base/escaped.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/recorded_action.h"

namespace outboxd {

Result<void> SkipCommand(const Config& config, const CommandLine& line) {
  StateDirectory state(config.relay.state_directory);
  auto held = state.ReadHeld();
  if (!held) return std::unexpected(held.error());
  if (!*held) {
    return Fail(ExitCode::kUsage, "relay {} holds at no event, so that there is nothing to skip",
                config.relay.name);
  }
  const HeldEvent& event = **held;
  if (line.words.size() != 1 || line.words[0] != event.position) {
    return Fail(ExitCode::kUsage, "relay {} holds at event {} (id {}) of table {}: {}",
                config.relay.name, event.position, Escaped(event.id), event.table, event.reason)
        .Hint("'outboxd skip {}' drops this event, and it only", event.position);
  }
  if (auto recorded = RecordAction(config, "skip", event.position); !recorded) return recorded;
  if (auto requested = state.RequestSkip(event.position); !requested) return requested;
  auto holder = state.LockHolder();
  if (!holder) return std::unexpected(holder.error());
  fmt::print("event {} (id {}) of table {} will not be published; its content goes to {}/{}\n",
             event.position, Escaped(event.id), event.table, state.path(), "skipped.jsonl");
  if (!*holder) fmt::print("the relay is not running: it drops the event when it runs next\n");
  return {};
}

}  // namespace outboxd
