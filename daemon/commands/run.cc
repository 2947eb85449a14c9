#include <spdlog/spdlog.h>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/relay_status.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/process/relay_process.h"

namespace outboxd {
namespace {

// For `status`. Of a state directory that another relay works on nothing is changed.
void WriteEnd(const StateDirectory& state, const Result<void>& ended, const Clock& clock) {
  if (!state.is_locked()) return;
  const auto written =
      WriteRunEnd(state.path(), {.at_us = clock.WallMicroseconds(),
                                 .exit_code = ended ? 0 : static_cast<int>(ended.error().exit_code),
                                 .text = ended ? "" : ended.error().message});
  if (!written) spdlog::warn("how this run ended cannot be kept: {}", written.error().message);
}

}  // namespace

Result<void> RunCommand(const Config& config) {
  StopSignals signals;
  ServiceNotifier notifier;
  const SystemClock clock;
  auto sink = MakeSink(config);
  if (!sink) return std::unexpected(sink.error());
  StateDirectory state(config.relay.state_directory);
  CheckpointFile store(config.relay.state_directory, config.relay.name);
  RelayProcess process({.config = config,
                        .sink = **sink,
                        .lock = &state,
                        .store = &store,
                        .state = &state,
                        .notifier = notifier,
                        .signals = signals,
                        .clock = clock});
  auto ended = process.Run(RelayIdentity(config));
  WriteEnd(state, ended, clock);
  return ended;
}

}  // namespace outboxd
