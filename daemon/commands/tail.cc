#include <filesystem>

#include "daemon/commands/commands.h"
#include "daemon/config/config_reader.h"
#include "daemon/config/config_value.h"
#include "daemon/preparation/preparation.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/relay/relay_process.h"

namespace outboxd {

Result<void> TailCommand(Config config, const CommandLine& line) {
  auto start = ParseStart(line.from.empty() ? "now" : line.from);
  if (!start) return Fail(ExitCode::kUsage, "--from: {}", start.error());
  config.delivery.start = *start;
  config.sink.type = SinkConfig::Type::kStdout;
  config.relay.spill_directory = std::filesystem::temp_directory_path();

  StopSignals signals;
  ServiceNotifier notifier;
  const SystemClock clock;
  auto sink = MakeSink(config);
  if (!sink) return std::unexpected(sink.error());
  auto prepared = Prepare(config, std::nullopt);
  if (!prepared) return std::unexpected(prepared.error());
  RelayProcess process(
      {config, prepared->character_sets, **sink, nullptr, nullptr, notifier, signals, clock});
  return process.Run(std::move(prepared->progress), std::move(prepared->tables), RandomIdentity());
}

}  // namespace outboxd
