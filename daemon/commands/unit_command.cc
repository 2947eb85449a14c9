#include "daemon/commands/unit_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/escaped.h"
#include "base/nearest_word.h"
#include "daemon/service/attendant.h"
#include "daemon/service/log.h"
#include "daemon/service/person.h"
#include "daemon/service/private_folder.h"
#include "daemon/service/service_account.h"
#include "daemon/service/unit_environment.h"

namespace outboxd {
namespace {

constexpr std::size_t kNamedUnitsMax = 10;

// These read files of the state directory only, and never a password.
bool AsksServer(const CommandLine& line) {
  const std::string_view word = line.words.empty() ? "" : std::string_view(line.words.front());
  if (line.command == "position") return word != "show" && word != "export";
  if (line.command == "inspect") return line.server;
  return line.command != "status" && line.command != "alarms" && line.command != "skip";
}

// The relays that have a configuration beside that of `name`, where such a file has the name of its
// relay.
std::vector<std::string> ConfiguredBeside(const std::string& config_path, const std::string& name) {
  const std::filesystem::path config = config_path;
  std::vector<std::string> names;
  if (config.extension() != ".conf" || config.stem() != name) return names;
  std::error_code error;
  std::filesystem::directory_iterator entry(config.parent_path(), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".conf") names.push_back(entry->path().stem());
  }
  return names;
}

// What an operator could have meant by a unit that is not there, or whose configuration
// `config_path` is not; empty: it has none.
std::string HintForName(ServiceUnits& units, const std::string& missing,
                        const std::string& config_path = "") {
  const std::string typed = ShortUnitName(missing);
  std::vector<std::string> names = ConfiguredBeside(config_path, typed);
  if (const auto known = units.Names()) {
    for (const std::string& name : *known) names.push_back(ShortUnitName(name));
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  std::erase(names, typed);  // To ask for a unit loads it.
  if (names.empty()) return "systemctl list-units --all 'outboxd*'";
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto nearest = NearestWord(typed, candidates);
  std::string hint = nearest ? fmt::format("did you mean --unit {}? ", *nearest) : "";
  const bool has_more = names.size() > kNamedUnitsMax;
  names.resize(std::min(names.size(), kNamedUnitsMax));
  for (std::string& name : names) name = Escaped(name);
  hint += fmt::format("the units of this machine: {}", fmt::join(names, ", "));
  return has_more ? hint + ", ..." : hint;
}

std::string AsRoot(const CommandLine& line) {
  return fmt::format("sudo outboxd --unit {} {}{}{}", line.unit, line.command,
                     line.words.empty() ? "" : " ", fmt::join(line.words, " "));
}

Result<ServiceUnit> FindUnit(const CommandLine& line, ServiceUnits& units, uid_t caller) {
  const std::string name = UnitNameOf(line.unit);
  auto unit = units.Find(name);
  if (unit) return unit;
  // Root needs no bus daemon.
  if (unit.error().kind == ExitCode::kUnreachable && caller != 0) {
    return Fail(unit.error(), "--unit {}", Escaped(line.unit)).Hint("{}", AsRoot(line));
  }
  if (unit.error().kind != ExitCode::kUsage) return unit;
  return Fail(unit.error(), "--unit {}", Escaped(line.unit)).Hint("{}", HintForName(units, name));
}

Failure<ExitCode> OnlyRoot(const CommandLine& line, std::string_view why) {
  return Fail(ExitCode::kDenied, "--unit {}: {}", Escaped(line.unit), why).Hint("{}", AsRoot(line));
}

// What CREDENTIALS_DIRECTORY is to be.
struct CredentialsFolder {
  std::optional<std::string> path;              // None: the unit has no credentials.
  std::optional<PrivateFolder> private_folder;  // None: nothing has to be written.
};

Result<CredentialsFolder> FolderFor(const CommandLine& line, const ServiceUnit& unit,
                                    const UnitCommandPlaces& places) {
  if (!unit.has_credentials()) return CredentialsFolder{};
  if (!AsksServer(line)) {
    return CredentialsFolder{places.credentials.of_running_units + "/" + unit.name, std::nullopt};
  }
  if (places.caller != 0) {
    CredentialsFolder folder{RunningCredentials(unit, places.credentials), std::nullopt};
    if (folder.path) return folder;
    return OnlyRoot(line,
                    "only root can read the credentials of a unit that does not run, and this "
                    "command needs them");
  }
  auto made = PrivateFolder::Make(places.private_folders);
  if (!made) return std::unexpected(made.error());
  CredentialsFolder folder;
  folder.path = made->path();
  folder.private_folder.emplace(std::move(*made));
  return folder;
}

Result<void> FillFolder(const PrivateFolder& folder, const ServiceUnit& unit,
                        const ServiceAccount& account, const UnitCommandPlaces& places) {
  const auto credentials = CredentialsOf(unit, places.credentials);
  if (!credentials) return std::unexpected(credentials.error());
  for (const auto& [name, contents] : *credentials) {
    if (auto written = folder.Write(name, contents, account.user, account.group); !written) {
      return written;
    }
  }
  return folder.GiveTo(account.user, account.group);
}

// The command line of the relay that the unit starts.
Result<CommandLine> RelayOf(const ServiceUnit& unit, const Environment& environment) {
  for (const std::vector<std::string>& words : unit.commands) {
    std::vector<std::string> expanded = ExpandWords(words, environment);
    std::vector<char*> arguments;
    for (std::string& word : expanded) arguments.push_back(word.data());
    if (arguments.size() < 2) continue;
    auto line = ParseCommandLine(std::span(arguments).subspan(1));
    const bool is_relay = line && line->command == "run" && CheckWords(*line);
    if (!is_relay) continue;
    if (!line->config_path.empty() && !line->config_path.starts_with('/')) {
      line->config_path = fmt::format("{}/{}", unit.working_directory, line->config_path);
    }
    return line;
  }
  std::vector<std::string> typed;
  for (const auto& words : unit.commands) typed.push_back(fmt::format("{}", fmt::join(words, " ")));
  return Fail(ExitCode::kConfiguration,
              "unit {} starts no relay by 'outboxd run --config FILE': its ExecStart is '{}'",
              unit.name, Escaped(fmt::format("{}", fmt::join(typed, "; "))))
      .Hint("give the relay's configuration with --config FILE");
}

// Of a template every instance is a unit, also a name that was mistyped. Its configuration tells.
Result<void> CheckConfigIsThere(const CommandLine& relay, const ServiceUnit& unit,
                                ServiceUnits& units) {
  struct stat ignored{};
  const bool is_missing = !relay.config_path.empty() &&
                          ::stat(relay.config_path.c_str(), &ignored) != 0 && errno == ENOENT;
  if (!is_missing) return {};
  return Fail(ExitCode::kConfiguration, "{}, the configuration of unit {}, does not exist",
              Escaped(relay.config_path), unit.name)
      .Hint("{}", HintForName(units, unit.name, relay.config_path));
}

CommandLine TypedForRelay(const CommandLine& line, const CommandLine& relay) {
  CommandLine typed = line;
  typed.unit.clear();
  typed.config_path = relay.config_path;
  typed.overrides = OverridesOnTop(relay.overrides, line.overrides);
  return typed;
}

// In the child: this process becomes the service's.
Result<void> Become(const ServiceUnit& unit, const ServiceAccount& account, Environment environment,
                    pid_t parent) {
  environment["SUDO_USER"] = PersonName();
  environment["USER"] = environment["LOGNAME"] = account.name;
  if (!account.home.empty()) environment["HOME"] = account.home;
  ReplaceEnvironment(environment);
  ::umask(unit.file_mode_mask);
  auto became = BecomeForEver(account);
  if (became) EndWithParent(parent);
  return became;
}

// "--section.key", which an override is for, and how many elements the override has.
std::pair<std::string_view, std::size_t> KeyOf(std::string_view override) {
  const std::size_t equals = override.find('=');
  return {override.substr(0, equals), equals == std::string_view::npos ? 2 : 1};
}

}  // namespace

std::vector<std::string> OverridesOnTop(const std::vector<std::string>& of_unit,
                                        const std::vector<std::string>& given) {
  std::set<std::string_view> keys;
  for (std::size_t i = 0; i < given.size(); i += KeyOf(given[i]).second) {
    keys.insert(KeyOf(given[i]).first);
  }
  std::vector<std::string> both;
  for (std::size_t i = 0; i < of_unit.size();) {
    const auto [key, size] = KeyOf(of_unit[i]);
    for (const std::size_t end = std::min(i + size, of_unit.size()); i < end; ++i) {
      if (!keys.contains(key)) both.push_back(of_unit[i]);
    }
  }
  both.insert(both.end(), given.begin(), given.end());
  return both;
}

Result<void> UnitCommand(const CommandLine& line, ServiceUnits& units,
                         const UnitCommandPlaces& places,
                         const std::function<int(const CommandLine&)>& command) {
  const auto unit = FindUnit(line, units, places.caller);
  if (!unit) return std::unexpected(unit.error());
  const auto account = AccountOf(*unit);
  if (!account) return std::unexpected(account.error());
  if (places.caller != 0 && places.caller != account->user) {
    return OnlyRoot(line, fmt::format("the relay works as user '{}', which you are not, and only "
                                      "root can become it",
                                      Escaped(account->name)));
  }

  // Before the folder is made, so that no signal leaves it behind.
  Attendant attendant;
  const auto folder = FolderFor(line, *unit, places);
  if (!folder) return std::unexpected(folder.error());
  const auto environment = EnvironmentOf(*unit, folder->path);
  if (!environment) return std::unexpected(environment.error());
  const auto relay = RelayOf(*unit, *environment);
  if (!relay) return std::unexpected(relay.error());
  if (auto there = CheckConfigIsThere(*relay, *unit, units); !there) return there;
  if (folder->private_folder) {
    auto filled = FillFolder(*folder->private_folder, *unit, *account, places);
    if (!filled) return filled;
  }

  const pid_t parent = ::getpid();
  const auto code = attendant.Run([&] {
    if (auto became = Become(*unit, *account, *environment, parent); !became) {
      PrintFatal(became.error().ToText(), became.error().kind);
      return static_cast<int>(became.error().kind);
    }
    return command(TypedForRelay(line, *relay));
  });
  if (!code) return std::unexpected(code.error());
  if (*code == 0) return {};
  return std::unexpected(Error{ExitCode{*code}, ""});
}

}  // namespace outboxd
