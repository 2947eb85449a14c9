#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/commands/commands.h"
#include "daemon/preparation/preparation.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/preparation/start_position.h"
#include "daemon/relay/relay_process.h"

namespace outboxd {
namespace {

// A checkpoint that was made for other event tables would begin a new one in the middle.
Result<void> CheckTables(const Checkpoint& checkpoint, const Config& config) {
  for (const std::string& pattern : TablePatterns(config)) {
    if (std::ranges::find(checkpoint.tables, pattern) != checkpoint.tables.end()) continue;
    return Fail(ExitCode::kCheckpoint,
                "event table {} is new to this relay: its rows before the checkpoint were not"
                " published HINT: 'outboxd position set keep' begins it at the checkpoint, 'outboxd"
                " position set table' publishes what is in the tables first",
                pattern);
  }
  return {};
}

}  // namespace

Result<void> RunCommand(const Config& config) {
  StopSignals signals;
  ServiceNotifier notifier;
  const SystemClock clock;

  auto sink = MakeSink(config);
  if (!sink) return std::unexpected(sink.error());
  StateDirectory state(config.relay.state_directory);
  if (auto locked = state.Lock(); !locked) return locked;
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  auto checkpoint = store.Load();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (*checkpoint) {
    if (auto same = CheckTables(**checkpoint, config); !same) return same;
  } else if (config.delivery.start.kind == StartChoice::Kind::kNone) {
    return Fail(NoStartError(), "relay {}", config.relay.name);
  }
  notifier.Ready();
  RelayProcess process({config, **sink, &store, &state, notifier, signals, clock});
  return process.Run(*checkpoint, RelayIdentity(config));
}

}  // namespace outboxd
