#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/checkpoint_text.h"
#include "daemon/commands/commands.h"
#include "daemon/config/config_value.h"
#include "daemon/preparation/preparation.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/relay/acknowledger.h"
#include "daemon/relay/clock.h"

namespace outboxd {
namespace {

Result<void> Show(const Config& config) {
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  auto checkpoint = store.Load();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (!*checkpoint) {
    return Fail(ExitCode::kNoStart, "relay {} has no checkpoint in {}", config.relay.name,
                config.relay.state_directory);
  }
  PrintCheckpoint(**checkpoint);
  return {};
}

Result<void> Set(const Config& config, const std::string& place) {
  StateDirectory state(config.relay.state_directory);
  if (auto locked = state.Lock(); !locked) return locked;
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  auto old = store.Load();
  Progress progress;
  if (place == "keep") {
    if (!old) return std::unexpected(old.error());
    if (!*old) return Fail(ExitCode::kNoStart, "there is no checkpoint to keep");
    progress = MakeProgress(**old);
    progress.sink.clear();  // Taken anew at the next start.
  } else {
    Config chosen = config;
    auto start = ParseStart(place);
    if (!start) return Fail(ExitCode::kUsage, "{}", start.error());
    chosen.delivery.start = *start;
    auto prepared = Prepare(chosen, std::nullopt);
    if (!prepared) return std::unexpected(prepared.error());
    progress = std::move(prepared->progress);
  }
  auto stored = store.Store(MakeCheckpoint(progress, config.relay.name, TablePatterns(config),
                                           SystemClock().WallMicroseconds()));
  if (!stored) return stored;
  return Show(config);
}

}  // namespace

Result<void> PositionCommand(const Config& config, const CommandLine& line) {
  if (line.words.size() == 1 && line.words[0] == "show") return Show(config);
  if (line.words.size() == 2 && line.words[0] == "set") return Set(config, line.words[1]);
  return Fail(ExitCode::kUsage, "usage: outboxd position show | position set PLACE");
}

}  // namespace outboxd
