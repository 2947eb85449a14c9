#include <fmt/core.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <span>

#include "daemon/commands/command_line.h"
#include "daemon/commands/commands.h"
#include "daemon/config/config_reader.h"
#include "daemon/service/log.h"

namespace outboxd {
namespace {

// What is larger goes back to the system as soon as it is free. The allocator would otherwise keep
// the memory of a very large binlog event for the next one.
void BoundKeptMemory() {
  constexpr int kMappedBytesMin = 4 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kMappedBytesMin);
}

// Why a relay ends stands in its log, with time and level, and is printed nowhere else.
Result<void> Logged(Result<void> ended) {
  if (ended || ended.error().exit_code == ExitCode::kOk) return ended;
  spdlog::critical("ended with code {}: {}", static_cast<int>(ended.error().exit_code),
                   ended.error().message);
  return std::unexpected(Error{ended.error().exit_code, ""});
}

Result<void> Main(std::span<char* const> arguments) {
  auto line = ParseCommandLine(arguments);
  if (!line) return std::unexpected(line.error());
  const std::string& command = line->command;
  if (auto fits = CheckWords(*line); !fits) return fits;
  if (command.empty()) return Fail(ExitCode::kUsage, "no command given HINT: outboxd --help");
  if (command == "help") {
    fmt::print("{}", UsageText());
    return {};
  }
  if (command == "version") {
    VersionCommand();
    return {};
  }
  if (command == "presets") {
    PresetsCommand();
    return {};
  }
  if (command == "init") return InitCommand(*line);
  if (command == "import-config") return ImportConfigCommand(*line);
  if (command == "inspect" && line->config_path.empty() && line->overrides.empty()) {
    StartLog(LogConfig::Level::kInfo);
    return InspectCommand(std::nullopt, *line);
  }
  if (FindCommand(command) == nullptr) {
    return Fail(ExitCode::kUsage, "unknown command '{}' HINT: outboxd --help", command);
  }
  auto config = ReadConfig(line->config_path, line->overrides);
  if (!config) return std::unexpected(config.error());
  StartLog(config->log.level);
  if (command == "run") return Logged(RunCommand(*config));
  if (command == "check") return CheckCommand(*config);
  if (command == "tail") return TailCommand(std::move(*config), *line);
  if (command == "position") return PositionCommand(*config, *line);
  if (command == "status") return StatusCommand(*config);
  if (command == "alarms") return AlarmsCommand(*config, *line);
  if (command == "inspect") return InspectCommand(std::move(*config), *line);
  if (command == "dead-letters") return DeadLettersCommand(*config, *line);
  return SkipCommand(*config, *line);
}

}  // namespace
}  // namespace outboxd

int main(int argc, char** argv) {
  outboxd::BoundKeptMemory();
  try {
    const auto result =
        outboxd::Main(std::span(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)));
    if (result) return 0;
    if (result.error().exit_code != outboxd::ExitCode::kOk && !result.error().message.empty()) {
      fmt::print(stderr, "outboxd: {}\n", result.error().message);
    }
    return static_cast<int>(result.error().exit_code);
  } catch (const std::exception& exception) {
    fmt::print(stderr, "outboxd: unexpected failure: {}\n", exception.what());
    return static_cast<int>(outboxd::ExitCode::kBug);
  }
}
