#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/commands/command_line.h"
#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// One function for each command; an error is printed by main() and ends the process with its exit
// code. All but `run`, `tail` and `inspect --server` do their work once and return.

// The error is in the log already, as is that of ParkUnread().
// `read`: the configuration as it stands when a signal asks for it.
[[nodiscard]] Result<void> RunCommand(Config config, std::function<Result<Config>()> read);
// What `run --relay.on-halt=park` does where the configuration cannot be read: it says so, stays,
// and is asked at the socket of RUNTIME_DIRECTORY, and where `overrides` have an http.listen.
// Returns `error`.
[[nodiscard]] Result<void> ParkUnread(const Error& error,
                                      const std::vector<std::string>& overrides);
[[nodiscard]] Result<void> CheckCommand(const Config& config, const CommandLine& line);
[[nodiscard]] Result<void> TailCommand(Config config, const CommandLine& line);
[[nodiscard]] Result<void> PositionCommand(const Config& config, const CommandLine& line);
// kNotReady, kNotRunning, with all that is known on standard output.
[[nodiscard]] Result<void> StatusCommand(const Config& config, const CommandLine& line);
// kNotReady, with the reason on standard output.
[[nodiscard]] Result<void> HealthCommand(const CommandLine& line);
// kConfiguration: the relay refuses what it has read. kUnreachable: none answers. kDenied.
[[nodiscard]] Result<void> ReloadCommand(const CommandLine& line);
[[nodiscard]] Result<void> AlarmsCommand(const Config& config, const CommandLine& line);
// Without configuration (files only) every table counts as an event table.
[[nodiscard]] Result<void> InspectCommand(const std::optional<Config>& config,
                                          const CommandLine& line);
[[nodiscard]] Result<void> SkipCommand(const Config& config, const CommandLine& line);
[[nodiscard]] Result<void> DeadLettersCommand(const Config& config, const CommandLine& line);
void PresetsCommand();
[[nodiscard]] Result<void> InitCommand(const CommandLine& line);
// Prints the configuration that does what a Debezium connector does; needs none of its own.
[[nodiscard]] Result<void> ImportConfigCommand(const CommandLine& line);
void VersionCommand();

// Of the program, as "0.1.0".
[[nodiscard]] std::string_view Version();

}  // namespace outboxd
