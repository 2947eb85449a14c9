#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>

#include "daemon/commands/command_line.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/manual.h"
#include "daemon/commands/unit_command.h"
#include "daemon/config/config_reader.h"
#include "daemon/service/log.h"
#include "daemon/service/systemd_units.h"

namespace outboxd {
namespace {

// What is larger goes back to the system as soon as it is free. The allocator would otherwise keep
// the memory of a very large binlog event for the next one.
void BoundKeptMemory() {
  constexpr int kMappedBytesMin = 4 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kMappedBytesMin);
}

void PrintError(const Error& error) {
  if (error.kind == ExitCode::kOk || error.message.empty()) return;
  PrintFatal(error.ToText(), error.kind);
}

int ExitCodeAfter(const CommandLine& line);

// `help`, `help COMMAND`, and --help behind anything.
Result<void> HelpCommand(const CommandLine& line) {
  const bool is_help = line.command == "help";
  const std::string command = is_help ? (line.words.empty() ? "" : line.words[0]) : line.command;
  if (command.empty()) {
    fmt::print("{}", UsageText());
    return {};
  }
  if (!IsCommand(command)) return std::unexpected(UnknownCommandError(command));
  // "position set" has a section of its own.
  const std::size_t second = is_help ? 1 : 0;
  std::string text;
  if (line.words.size() > second) text = ManualOf(command + " " + line.words[second]);
  fmt::print("{}", text.empty() ? ManualOf(command) : text);
  return {};
}

// As the service's user, in a process of its own.
Result<void> CommandOfUnit(const CommandLine& line) {
  SystemdUnits systemd;
  return UnitCommand(line, systemd, {}, ExitCodeAfter);
}

// Whether the command line says so, which is known also where the configuration is not.
bool ParksAtOnce(const CommandLine& line) {
  return std::ranges::find(line.overrides, "--relay.on-halt=park") != line.overrides.end();
}

// Why a relay ends stands in its log, and is printed nowhere else.
Result<void> WithoutText(const Result<void>& ended) {
  if (ended) return ended;
  return std::unexpected(Error{ended.error().kind, ""});
}

Result<void> Command(const CommandLine& line) {
  const std::string& command = line.command;
  if (line.help || command == "help") return HelpCommand(line);
  if (auto fits = CheckWords(line); !fits) return fits;
  if (command.empty()) return Fail(ExitCode::kUsage, "no command given").Hint("outboxd --help");
  if (command == "version") {
    VersionCommand();
    return {};
  }
  if (command == "presets") {
    PresetsCommand();
    return {};
  }
  if (command == "init") return InitCommand(line);
  if (command == "import-config") return ImportConfigCommand(line);
  if (!line.unit.empty() && IsCommand(command)) return CommandOfUnit(line);
  if (command == "inspect" && line.config_path.empty() && line.overrides.empty()) {
    StartLog({}, "");
    return InspectCommand(std::nullopt, line);
  }
  if (!IsCommand(command)) {
    return std::unexpected(UnknownCommandError(command));
  }
  if (command == "health") return HealthCommand(line);
  if (command == "reload") return ReloadCommand(line);
  auto config = ReadConfig(line.config_path, line.overrides);
  if (!config) {
    if (command == "run" && ParksAtOnce(line)) {
      return WithoutText(ParkUnread(config.error(), line.overrides));
    }
    return std::unexpected(config.error());
  }
  StartLog(config->log, config->relay.name);
  if (command == "run") {
    return WithoutText(RunCommand(std::move(*config),
                                  [line] { return ReadConfig(line.config_path, line.overrides); }));
  }
  if (command == "check") return CheckCommand(*config, line);
  if (command == "tail") return TailCommand(std::move(*config), line);
  if (command == "position") return PositionCommand(*config, line);
  if (command == "status") return StatusCommand(*config, line);
  if (command == "alarms") return AlarmsCommand(*config, line);
  if (command == "inspect") return InspectCommand(std::move(*config), line);
  if (command == "dead-letters") return DeadLettersCommand(*config, line);
  return SkipCommand(*config, line);
}

// Prints the error that it returns, if there is one.
int ExitCodeAfter(const CommandLine& line) {
  try {
    const auto result = Command(line);
    if (result) return 0;
    PrintError(result.error());
    return static_cast<int>(result.error().kind);
  } catch (const std::exception& exception) {
    PrintFatal(fmt::format("unexpected failure: {}", exception.what()), ExitCode::kBug);
    return static_cast<int>(ExitCode::kBug);
  }
}

}  // namespace
}  // namespace outboxd

int main(int argc, char** argv) {
  outboxd::BoundKeptMemory();
  const auto line = outboxd::ParseCommandLine(
      std::span(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)));
  if (line) return outboxd::ExitCodeAfter(*line);
  outboxd::PrintError(line.error());
  return static_cast<int>(line.error().kind);
}
