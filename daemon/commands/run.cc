#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/commands/commands.h"
#include "daemon/preparation/preparation.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/preparation/start_position.h"
#include "daemon/relay/acknowledger.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/relay_process.h"

namespace outboxd {
namespace {

constexpr std::chrono::milliseconds kBackOffFirst{100};
constexpr std::chrono::milliseconds kBackOffMax{15'000};
constexpr std::chrono::milliseconds kSignalCheck{50};

void LogWarnings(const std::vector<Finding>& warnings) {
  for (const Finding& warning : warnings) {
    spdlog::warn("{}: {}{}{}", warning.subject, warning.found,
                 warning.remedy.empty() ? "" : " HINT: ", warning.remedy);
  }
}

// Waits, but not beyond a stop; false: a stop was asked for.
bool WaitUnlessStopped(StopSignals& signals, ServiceNotifier& notifier,
                       std::chrono::milliseconds pause) {
  for (auto left = pause; left > std::chrono::milliseconds{0}; left -= kSignalCheck) {
    if (signals.Arrived()) return false;
    notifier.Watchdog(std::chrono::steady_clock::now());
    std::this_thread::sleep_for(std::min(left, kSignalCheck));
  }
  return !signals.Arrived();
}

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
  notifier.Status("connecting to MySQL");

  BackOff back_off(kBackOffFirst, kBackOffMax, clock.WallMicroseconds());
  while (true) {
    auto prepared = Prepare(config, *checkpoint);
    if (prepared) {
      LogWarnings(prepared->warnings);
      if (!*checkpoint) {
        auto stored = store.Store(MakeCheckpoint(prepared->progress, config.relay.name,
                                                 TablePatterns(config), clock.WallMicroseconds()));
        if (!stored) return stored;
      }
      RelayProcess process(
          {config, prepared->character_sets, **sink, &store, &state, notifier, signals, clock});
      return process.Run(std::move(prepared->progress), std::move(prepared->tables),
                         RelayIdentity(config));
    }
    if (prepared.error().exit_code != ExitCode::kUnreachable) {
      return std::unexpected(prepared.error());
    }
    const auto pause = back_off.Next();
    spdlog::warn("source: {}; trying again in {} ms", prepared.error().message, pause.count());
    if (!WaitUnlessStopped(signals, notifier, pause)) return {};
  }
}

}  // namespace outboxd
