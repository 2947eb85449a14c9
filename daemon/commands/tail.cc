#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "daemon/commands/commands.h"
#include "daemon/config/config_reader.h"
#include "daemon/config/config_value.h"
#include "daemon/preparation/log_place.h"
#include "daemon/preparation/preparation.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/process/relay_process.h"

namespace outboxd {
namespace {

// On stderr, so that what reads the messages from stdout still can.
void PrintExplanation(const OutboxMapping& mapping, std::string_view position,
                      const sinks::Message& message) {
  std::size_t widest_part = 0, widest_setting = 0;
  const auto parts = mapping.Explain(message);
  for (const auto& [part, setting, value] : parts) {
    widest_part = std::max(widest_part, part.size());
    widest_setting = std::max(widest_setting, setting.size());
  }
  fmt::print(stderr, "event {}\n", position);
  for (const auto& [part, setting, value] : parts) {
    fmt::print(stderr, "  {:{}}  {:{}}  {}\n", part, widest_part, setting,
               std::min<std::size_t>(widest_setting, 40), value);
  }
}

}  // namespace

Result<void> TailCommand(Config config, const CommandLine& line) {
  auto start = ParseStart(line.from.empty() ? "now" : line.from);
  if (!start) return Fail(start.error().As(ExitCode::kUsage), "--from");
  if (auto typed = CheckTypedPlace(config.mysql, *start); !typed) return typed;
  config.delivery.start = *start;
  config.sink.family = FindSinkFamily("stdout");
  config.relay.spill_directory = std::filesystem::temp_directory_path();

  ProcessSignals signals;
  ServiceNotifier notifier;
  const SystemClock clock;
  auto sink = MakeSink(config);
  if (!sink) return std::unexpected(sink.error());
  std::string explained;  // A message that finds no room comes again.
  const auto explain = [&explained](const OutboxMapping& mapping, std::string_view position,
                                    const sinks::Message& message) {
    if (explained == position) return;
    explained = position;
    PrintExplanation(mapping, position, message);
  };
  RelayProcess::Parts parts{.config = config,
                            .sink = **sink,
                            .lock = nullptr,
                            .store = nullptr,
                            .state = nullptr,
                            .notifier = notifier,
                            .signals = signals,
                            .clock = clock,
                            .waits_for_server = false};
  if (line.explain) parts.on_mapped = explain;
  RelayProcess process(std::move(parts));
  return process.Run(RandomIdentity());
}

}  // namespace outboxd
