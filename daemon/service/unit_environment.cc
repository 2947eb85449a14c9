#include "daemon/service/unit_environment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ranges>
#include <string_view>

#include "base/escaped.h"
#include "base/trimmed.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/service/environment_file.h"

namespace outboxd {
namespace {

constexpr std::size_t kFileBytesMax = 1u << 20;

void Assign(Environment& environment, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return;
  environment[std::string(assignment.substr(0, equals))] = assignment.substr(equals + 1);
}

void Unassign(Environment& environment, const std::string& unset) {
  const std::size_t equals = unset.find('=');
  const auto found = environment.find(unset.substr(0, equals));
  if (found == environment.end()) return;
  // "NAME=VALUE" means the variable only where it has this value.
  if (equals == std::string::npos || found->second == unset.substr(equals + 1)) {
    environment.erase(found);
  }
}

std::vector<std::string> PathsOf(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

Result<void> AssignFile(Environment& environment, const ServiceUnit& unit,
                        const ServiceUnit::EnvironmentFile& file) {
  const std::vector<std::string> paths = PathsOf(file.path);
  if (paths.empty() && !file.may_be_missing) {
    return Fail(ExitCode::kConfiguration, "{}, which EnvironmentFile= of unit {} names, is missing",
                Escaped(file.path), unit.name);
  }
  for (const std::string& path : paths) {
    const auto text = ReadFile(SystemFiles(), path, kFileBytesMax);
    if (!text && !file.may_be_missing) {
      return Fail(text.error().As(ExitCode::kConfiguration), "EnvironmentFile= of unit {}",
                  unit.name);
    }
    if (!text || !text->has_value()) continue;
    for (const std::string& assignment : ParseEnvironmentFile(**text)) {
      Assign(environment, assignment);
    }
  }
  return {};
}

std::string_view ValueOf(const Environment& environment, std::string_view name) {
  const auto found = environment.find(std::string(name));
  return found == environment.end() ? std::string_view() : found->second;
}

// ${NAME} and "$$" within a word; all else stays, a lone '$' too.
std::string ExpandWord(std::string_view word, const Environment& environment) {
  std::string out;
  while (!word.empty()) {
    const std::size_t dollar = std::min(word.find('$'), word.size());
    out += word.substr(0, dollar);
    word.remove_prefix(dollar);
    const std::size_t end = word.find('}');
    if (word.starts_with("$$")) {
      out += '$';
      word.remove_prefix(2);
    } else if (word.starts_with("${") && end != std::string_view::npos &&
               IsVariableName(word.substr(2, end - 2))) {
      out += ValueOf(environment, word.substr(2, end - 2));
      word.remove_prefix(end + 1);
    } else if (!word.empty()) {
      out += '$';
      word.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

Result<Environment> EnvironmentOf(const ServiceUnit& unit,
                                  const std::optional<std::string>& credentials_folder) {
  Environment environment;
  for (const std::string& assignment : unit.manager_environment) Assign(environment, assignment);
  for (const auto& [variable, folders] : unit.directories) {
    environment[variable] = fmt::format("{}", fmt::join(folders, ":"));
  }
  if (credentials_folder) environment["CREDENTIALS_DIRECTORY"] = *credentials_folder;
  for (const std::string& assignment : unit.environment) Assign(environment, assignment);
  for (const auto& file : unit.environment_files) {
    if (auto assigned = AssignFile(environment, unit, file); !assigned) {
      return std::unexpected(assigned.error());
    }
  }
  for (const std::string& unset : unit.unset_environment) Unassign(environment, unset);
  return environment;
}

std::vector<std::string> ExpandWords(const std::vector<std::string>& words,
                                     const Environment& environment) {
  std::vector<std::string> out;
  for (const std::string_view word : words) {
    if (word.starts_with('$') && IsVariableName(word.substr(1))) {
      const std::string_view value = ValueOf(environment, word.substr(1));
      for (const auto part : std::views::split(value, ' ')) {
        const std::string_view trimmed = Trimmed(std::string_view(part.begin(), part.end()));
        if (!trimmed.empty()) out.emplace_back(trimmed);
      }
    } else {
      out.push_back(ExpandWord(word, environment));
    }
  }
  return out;
}

void ReplaceEnvironment(const Environment& environment) {
  Environment kept;
  for (const char* name : {"LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "TERM", "TZ"}) {
    if (const char* value = std::getenv(name)) kept[name] = value;
  }
  ::clearenv();
  for (const auto& [name, value] : kept) ::setenv(name.c_str(), value.c_str(), 1);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
}

}  // namespace outboxd
