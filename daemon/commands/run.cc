#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/commands/commands.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/process/relay_process.h"

namespace outboxd {

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
  return process.Run(RelayIdentity(config));
}

}  // namespace outboxd
