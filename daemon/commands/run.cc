#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <string>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/relay_status.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/preparation/memory_need.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/process/relay_process.h"
#include "daemon/service/memory_limit.h"

namespace outboxd {
namespace {

// For `status`. Of a state directory that another relay works on nothing is changed.
void WriteEnd(const StateDirectory& state, const Result<void>& ended, const Clock& clock) {
  if (!state.is_locked()) return;
  const auto written =
      WriteRunEnd(state.path(), {.at_us = clock.WallMicroseconds(),
                                 .exit_code = ended ? 0 : static_cast<int>(ended.error().kind),
                                 .text = ended ? "" : ended.error().ToText()});
  if (!written) spdlog::warn("how this run ended cannot be kept: {}", written.error().ToText());
}

// A unit lets its relay write into its own StateDirectory= only, which has the name of the
// configuration's file. Where relay.name is another word, what fails there says nothing of that.
Result<void> NamingTheUnitsDirectory(Result<void> ended, const std::string& state_directory) {
  const char* const of_unit = std::getenv("STATE_DIRECTORY");
  if (ended || ended.error().kind != ExitCode::kState || of_unit == nullptr) return ended;
  const std::string list = fmt::format(":{}:", of_unit);
  if (list.contains(fmt::format(":{}:", state_directory))) return ended;
  return Fail(ExitCode::kConfiguration, "{}; the directory of this unit is {}",
              ended.error().message, of_unit)
      .Hint(
          "relay.name has to be the name of the configuration's file, without .conf; no two"
          " relays of a machine may have one name");
}

}  // namespace

Result<void> RunCommand(Config config) {
  spdlog::info("outboxd {}, relay {}", Version(), config.relay.name);
  config.mysql.event_bytes_max = EventBytesMax(config, MemoryLimit());
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
  auto ended =
      NamingTheUnitsDirectory(process.Run(RelayIdentity(config)), config.relay.state_directory);
  WriteEnd(state, ended, clock);
  return ended;
}

}  // namespace outboxd
