#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"

namespace outboxd {

// outboxd COMMAND [WORD ...] [--config FILE | --unit NAME] [--from PLACE] [--preset NAME] [--table
// SCHEMA.TABLE]
//         [--name NAME] [--server] [--explain]
//         [--all] [--json] [--watch] [--debezium] [--live] [--help] [--section.key=value ...]
struct CommandLine {
  std::string command;
  std::vector<std::string> words;  // What follows the command: "show", a position, ...
  std::string config_path;
  std::string unit;         // Whose configuration is meant, instead of `config_path`.
  std::string from;         // `tail`, `inspect`, `dead-letters list`.
  std::string preset;       // `init`, as are
  std::string table, name;  // these.
  bool server = false;      // `inspect`.
  bool explain = false;     // `tail`.
  bool all = false;         // `dead-letters replay`.
  bool json = false;        // `status`, `check`, `dead-letters list`.
  bool watch = false;       // `status`.
  bool debezium = false;    // `position import` and `position export`.
  bool live = false;        // `health`.
  bool help = false;
  std::vector<std::string> overrides;  // "--section.key=value" as given.
};

// A command and what it takes, as docs/commands.md documents it. One whose first word decides what
// it takes has a shape for each such word.
struct CommandShape {
  std::string_view command;
  std::size_t words_max;     // `word` among them.
  std::string_view options;  // That it takes, each behind a blank; without --config.
  bool takes_config = true;  // --config, and keys of the configuration; but for `run` --unit too.
  std::string_view word = {};
};

// Every command.
[[nodiscard]] std::span<const CommandShape> CommandShapes();
// The command with its word: "position set".
[[nodiscard]] std::string NameOf(const CommandShape& shape);
[[nodiscard]] bool IsCommand(std::string_view command);
// That it is none; with the one that it may be a slip of.
[[nodiscard]] Error UnknownCommandError(std::string_view command);

// kUsage.
[[nodiscard]] Result<CommandLine> ParseCommandLine(std::span<char* const> arguments);

// kUsage: the command takes fewer words, or not this option, or not both of two.
[[nodiscard]] Result<void> CheckWords(const CommandLine& line);

[[nodiscard]] std::string_view UsageText();

}  // namespace outboxd
