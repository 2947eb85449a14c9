#include "daemon/commands/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "base/escaped.h"
#include "base/nearest_word.h"
#include "daemon/service/service_unit.h"

namespace outboxd {
namespace {

constexpr std::string_view kUsage =
    R"(outboxd: committed rows of MySQL event tables, delivered as messages

  outboxd run --config FILE              relay until stopped
  outboxd check --config FILE [--json]   look at everything a relay needs and say what mends it
  outboxd tail --config FILE [--from P] [--explain]
                                         print messages, from now on or from P; with --explain
                                         also how each part came about
  outboxd position show --config FILE    the stored checkpoint
  outboxd position set P --config FILE   replace it (while no relay runs)
  outboxd position import --debezium OFFSET --config FILE
                                         begin where a Debezium connector stopped; OFFSET: a file
                                         with its stored offset, or the JSON itself
  outboxd position export --debezium TOPIC-PREFIX --config FILE
                                         the checkpoint as an offset for a Debezium connector
  outboxd skip POSITION --config FILE    drop the one event that a relay holds at
  outboxd dead-letters list --config FILE [--from OFFSET] [--json]
  outboxd dead-letters replay POSITION ... | --all --config FILE
  outboxd status --config FILE [--watch] [--json]
                                         how the relay does, or how it ended, and what waits for
                                         a person; ends with 0, 1 or 3: healthy, degraded, down
  outboxd health [--live] --config FILE  whether messages flow; with --live whether it works at all
  outboxd reload --config FILE           let a running relay read its configuration again
  outboxd alarms [acknowledge] --config FILE
  outboxd inspect BINLOG ...             what the relay sees in binary log files, and its verdicts
  outboxd inspect --server --config FILE [--from P]
  outboxd presets                        the table layouts it knows, with their SQL
  outboxd init [--preset PRESET] [--table SCHEMA.TABLE] [--name NAME]
                                         SQL and configuration to begin with
  outboxd import-config FILE [WORKER-FILE]
                                         the configuration for what a Debezium connector does
  outboxd version

P: now, earliest, table, gtid:SET, file:NAME:OFFSET; for 'position set' also keep.
--unit NAME, typed by root instead of --config FILE with every command but run: the relay of the
unit outboxd@NAME.service, with its configuration and passwords, as its user.
outboxd COMMAND --help says more of a command, with examples.
Every key of the configuration can be given as --section.key=value; see docs/configuration.md.
)";

// What begins with "--" and is no key of the configuration: it has a value, or is given or not.
struct Option {
  std::string_view name;
  std::string CommandLine::* value = nullptr;
  bool CommandLine::* flag = nullptr;
};

constexpr auto kOptions = std::to_array<Option>({
    {"--config", &CommandLine::config_path},
    {"--unit", &CommandLine::unit},
    {"--from", &CommandLine::from},
    {"--preset", &CommandLine::preset},
    {"--table", &CommandLine::table},
    {"--name", &CommandLine::name},
    {"--server", nullptr, &CommandLine::server},
    {"--explain", nullptr, &CommandLine::explain},
    {"--all", nullptr, &CommandLine::all},
    {"--json", nullptr, &CommandLine::json},
    {"--watch", nullptr, &CommandLine::watch},
    {"--debezium", nullptr, &CommandLine::debezium},
    {"--live", nullptr, &CommandLine::live},
    {"--help", nullptr, &CommandLine::help},
});

// The value of "--name=value", or of "--name" followed by it; none: `argument` is another option.
Result<std::optional<std::string>> OptionValue(std::string_view name, std::string_view argument,
                                               std::span<char* const> arguments, std::size_t& i) {
  if (!argument.starts_with(name)) return std::nullopt;
  const std::string_view rest = argument.substr(name.size());
  if (rest.starts_with('=')) return std::string(rest.substr(1));
  if (!rest.empty()) return std::nullopt;
  if (i + 1 == arguments.size()) return Fail(ExitCode::kUsage, "{} needs a value", name);
  return std::string(arguments[++i]);
}

// Whether the argument is one of kOptions, which is taken then.
Result<bool> TakeOption(CommandLine& line, std::string_view argument,
                        std::span<char* const> arguments, std::size_t& i) {
  for (const Option& option : kOptions) {
    if (option.flag != nullptr) {
      if (argument != option.name) continue;
      line.*option.flag = true;
      return true;
    }
    auto value = OptionValue(option.name, argument, arguments, i);
    if (!value) return std::unexpected(value.error());
    if (!*value) continue;
    line.*option.value = std::move(**value);
    return true;
  }
  return false;
}

bool IsGiven(const CommandLine& line, const Option& option) {
  return option.flag != nullptr ? line.*option.flag : !(line.*option.value).empty();
}

// What the word may be a slip of; else where all are listed.
std::string HintForWord(std::string_view word, std::span<const std::string_view> known) {
  const auto nearest = NearestWord(word, known);
  return nearest ? fmt::format("did you mean {}?", *nearest) : std::string("outboxd --help");
}

Failure<ExitCode> UnknownOption(std::string_view argument) {
  std::vector<std::string_view> known = {"--version"};
  for (const Option& option : kOptions) known.push_back(option.name);
  return Fail(ExitCode::kUsage, "unknown option '{}'", Escaped(argument, 100))
      .Hint("{}", HintForWord(argument, known));
}

}  // namespace

Result<CommandLine> ParseCommandLine(std::span<char* const> arguments) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (!argument.starts_with("--")) {
      if (line.command.empty()) {
        line.command = argument;
      } else {
        line.words.emplace_back(argument);
      }
      continue;
    }
    const auto is_taken = TakeOption(line, argument, arguments, i);
    if (!is_taken) return std::unexpected(is_taken.error());
    if (*is_taken) continue;
    if (argument == "--version") {
      line.command = "version";
      continue;
    }
    if (argument.find('.') == std::string_view::npos) {
      return UnknownOption(argument);
    }
    line.overrides.emplace_back(argument);
    if (argument.find('=') == std::string_view::npos) {
      if (i + 1 == arguments.size()) return Fail(ExitCode::kUsage, "{} needs a value", argument);
      line.overrides.emplace_back(arguments[++i]);
    }
  }
  return line;
}

namespace {

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();
constexpr bool kTakesConfig = true;

constexpr auto kShapes = std::to_array<CommandShape>({
    {"run", 0, ""},
    {"check", 0, " --json"},
    {"tail", 0, " --from --explain"},
    {"position", 1, "", kTakesConfig, "show"},
    {"position", 2, "", kTakesConfig, "set"},
    {"position", 2, " --debezium", kTakesConfig, "import"},
    {"position", 2, " --debezium", kTakesConfig, "export"},
    {"skip", 1, ""},
    {"dead-letters", 1, " --from --json", kTakesConfig, "list"},
    {"dead-letters", kAnyNumber, " --all", kTakesConfig, "replay"},
    {"status", 0, " --watch --json"},
    {"health", 0, " --live"},
    {"reload", 0, ""},
    {"alarms", 1, ""},
    {"inspect", kAnyNumber, " --server --from"},
    {"presets", 0, "", !kTakesConfig},
    {"init", 0, " --preset --table --name", !kTakesConfig},
    {"import-config", 2, "", !kTakesConfig},
    {"version", 0, "", !kTakesConfig},
});

}  // namespace

std::span<const CommandShape> CommandShapes() { return kShapes; }

std::string NameOf(const CommandShape& shape) {
  return fmt::format("{}{}{}", shape.command, shape.word.empty() ? "" : " ", shape.word);
}

bool IsCommand(std::string_view command) {
  return std::ranges::find(kShapes, command, &CommandShape::command) != kShapes.end();
}

Error UnknownCommandError(std::string_view command) {
  std::vector<std::string_view> known;
  for (const CommandShape& shape : kShapes) known.push_back(shape.command);
  return Fail(ExitCode::kUsage, "unknown command '{}'", Escaped(command, 100))
      .Hint("{}", HintForWord(command, known))
      .error();
}

namespace {

// The relay of a unit is started by systemd, and nothing else says which relay is meant.
Result<void> CheckUnit(const CommandLine& line, const CommandShape& shape) {
  if (line.unit.empty()) return {};
  if (line.command == "run") {
    return Fail(ExitCode::kUsage, "outboxd run takes no --unit: systemd runs the relay of a unit")
        .Hint("systemctl start {}", UnitNameOf(line.unit));
  }
  if (!shape.takes_config) {
    return Fail(ExitCode::kUsage, "outboxd {} takes no --unit", NameOf(shape))
        .Hint("outboxd --help");
  }
  if (!line.config_path.empty()) {
    return Fail(ExitCode::kUsage, "--unit and --config exclude each other")
        .Hint("--unit {} takes the --config of that unit", Escaped(line.unit));
  }
  return {};
}

// Null: there is no such command.
const CommandShape* ShapeOf(const CommandLine& line) {
  const auto shape = std::ranges::find_if(kShapes, [&](const CommandShape& known) {
    const bool is_word = !line.words.empty() && line.words.front() == known.word;
    return known.command == line.command && (known.word.empty() || is_word);
  });
  return shape == kShapes.end() ? nullptr : &*shape;
}

}  // namespace

Result<void> CheckWords(const CommandLine& line) {
  const CommandShape* const shape = ShapeOf(line);
  if (shape == nullptr) return {};  // The command itself says which words it knows.
  if (auto fits = CheckUnit(line, *shape); !fits) return fits;
  const std::string name = NameOf(*shape);
  if (line.words.size() > shape->words_max) {
    return Fail(ExitCode::kUsage, "'{}' is one word too many for outboxd {}",
                line.words[shape->words_max], name)
        .Hint("outboxd {} --help", name);
  }
  const auto check = [&](bool is_given, std::string_view option) -> Result<void> {
    const bool is_taken = option == "--config"
                              ? shape->takes_config
                              : shape->options.contains(fmt::format(" {}", option));
    if (!is_given || is_taken) return {};
    return Fail(ExitCode::kUsage, "outboxd {} takes no {}", name, option)
        .Hint("outboxd {} --help", name);
  };
  // A key of the configuration is as good as a file of them.
  if (auto fits = check(!line.overrides.empty(), "--config"); !fits) return fits;
  for (const Option& option : kOptions) {
    const bool is_for_all = option.name == "--unit" || option.name == "--help";
    if (is_for_all) continue;  // CheckUnit() has looked at the one.
    if (auto fits = check(IsGiven(line, option), option.name); !fits) return fits;
  }
  return {};
}

std::string_view UsageText() { return kUsage; }

}  // namespace outboxd
