#include "daemon/service/unit_credentials.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/escaped.h"
#include "base/program_output.h"
#include "daemon/checkpoint/file_system.h"

namespace outboxd {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytesMax = 1u << 20;  // systemd's own limit for all of a unit.
constexpr int kFoldersDeepMax = 16;

// Of one credential: its name, and the file that it comes from.
using NamedFiles = std::vector<std::pair<std::string, std::string>>;

Failure<ExitCode> FailedFor(const ServiceUnit& unit, const std::string& id, std::string_view why) {
  return Fail(ExitCode::kConfiguration, "credential '{}' of unit {}: {}", Escaped(id), unit.name,
              why);
}

// The file or folder of a credential; empty: a name that stands in no store.
std::string SourceOf(const ServiceUnit::Credential& credential, const CredentialPlaces& places) {
  if (credential.source.starts_with('/')) return credential.source;
  std::vector<std::string> stores = places.stores;
  if (credential.is_encrypted) {
    stores.insert(stores.begin(), places.encrypted_stores.begin(), places.encrypted_stores.end());
  }
  for (const std::string& store : stores) {
    std::error_code ignored;
    std::string path = store + "/" + credential.source;
    if (fs::exists(path, ignored)) return path;
  }
  return "";
}

// Of a folder each regular file is a credential: ID_FILE, and ID_FOLDER_FILE for one below.
Result<NamedFiles> FilesOf(const ServiceUnit& unit, const std::string& id,
                           const std::string& source) {
  std::error_code error;
  if (!fs::is_directory(source, error)) return NamedFiles{{id, source}};
  NamedFiles files;
  fs::recursive_directory_iterator entry(source, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() >= kFoldersDeepMax) entry.disable_recursion_pending();
    const fs::file_status status = entry->symlink_status(error);
    if (error || !fs::is_regular_file(status)) continue;
    std::string name = id + "/" + entry->path().lexically_relative(source).string();
    std::ranges::replace(name, '/', '_');
    files.emplace_back(std::move(name), entry->path());
  }
  if (error) return FailedFor(unit, id, fmt::format("{}: {}", Escaped(source), error.message()));
  return files;
}

Result<std::string> Decrypted(const std::string& id, const std::string& path,
                              const CredentialPlaces& places) {
  auto output = OutputOf({places.decrypting_program, "decrypt", "--name=" + id, path, "-"},
                         {.bytes_max = kBytesMax});
  if (output) return std::move(*output);
  const bool is_there = output.error().kind != ProgramFault::kNotStarted;
  return std::unexpected(output.error().As(is_there ? ExitCode::kConfiguration : ExitCode::kState));
}

Result<std::string> ContentsOf(const std::string& path) {
  std::error_code ignored;
  if (fs::is_socket(path, ignored)) {
    return Fail(ExitCode::kConfiguration,
                "{} is a socket, and only systemd asks it, when the unit starts", Escaped(path));
  }
  auto contents = ReadFile(SystemFiles(), path, kBytesMax);
  if (!contents) return std::unexpected(contents.error());
  if (!contents->has_value()) {
    return Fail(ExitCode::kConfiguration, "{} is missing", Escaped(path));
  }
  return std::move(**contents);
}

// Adds what one LoadCredential= gives.
Result<void> Load(const ServiceUnit& unit, const ServiceUnit::Credential& credential,
                  const CredentialPlaces& places, Credentials& loaded) {
  const std::string source = SourceOf(credential, places);
  std::error_code ignored;
  // Then SetCredential= counts, as it does for systemd.
  const bool is_there = !source.empty() && fs::exists(source, ignored);
  if (!is_there && unit.set_credentials.contains(credential.id)) return {};
  if (source.empty()) {
    return FailedFor(
        unit, credential.id,
        fmt::format(
            "{} is in none of {}", Escaped(credential.source),
            fmt::join(credential.is_encrypted ? places.encrypted_stores : places.stores, ", ")));
  }
  const auto files = FilesOf(unit, credential.id, source);
  if (!files) return std::unexpected(files.error());
  for (const auto& [name, path] : *files) {
    auto contents =
        credential.is_encrypted && is_there ? Decrypted(name, path, places) : ContentsOf(path);
    if (!contents) {
      return Fail(contents.error().As(ExitCode::kConfiguration), "credential '{}' of unit {}",
                  Escaped(name), unit.name);
    }
    loaded[name] = std::move(*contents);
  }
  return {};
}

// None: it cannot be read as a whole, as where the unit stops at this moment.
std::optional<Credentials> OfRunning(const std::string& folder) {
  Credentials credentials;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    auto contents = ContentsOf(entry->path());
    if (!contents) return std::nullopt;
    credentials[entry->path().filename()] = std::move(*contents);
  }
  if (error) return std::nullopt;
  return credentials;
}

}  // namespace

std::optional<std::string> RunningCredentials(const ServiceUnit& unit,
                                              const CredentialPlaces& places) {
  std::string folder = places.of_running_units + "/" + unit.name;
  if (::access(folder.c_str(), R_OK | X_OK) != 0) return std::nullopt;
  return folder;
}

Result<Credentials> CredentialsOf(const ServiceUnit& unit, const CredentialPlaces& places) {
  if (const auto folder = RunningCredentials(unit, places)) {
    if (auto credentials = OfRunning(*folder)) return std::move(*credentials);
  }
  if (!unit.other_credentials.empty()) {
    return Fail(ExitCode::kConfiguration,
                "unit {} has credentials by {}, which only systemd can read, and it does not run",
                unit.name, fmt::join(unit.other_credentials, " and "))
        .Hint(
            "while the unit runs the command works; until then override the keys that name a "
            "credential");
  }
  Credentials credentials;
  for (const ServiceUnit::Credential& credential : unit.credentials) {
    if (auto loaded = Load(unit, credential, places, credentials); !loaded) {
      return std::unexpected(loaded.error());
    }
  }
  credentials.insert(unit.set_credentials.begin(), unit.set_credentials.end());
  return credentials;
}

}  // namespace outboxd
