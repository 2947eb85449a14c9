#include "daemon/preparation/secret_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <string>
#include <string_view>
#include <utility>

namespace outboxd {
namespace {

bool HoldsSecret(std::string_view key) {
  return key.ends_with("-file") || key == "ssl.key.location" || key == "ssl.keystore.location";
}

// The key of the configuration, and the file that it names.
std::vector<std::pair<std::string, std::string>> SecretFilesOf(const Config& config) {
  std::vector<std::pair<std::string, std::string>> files = {
      {"mysql.password-file", config.mysql.password_file}, {"mysql.tls-key", config.mysql.tls_key}};
  for (const sinks::Setting& setting : config.sink.settings) {
    if (!HoldsSecret(setting.key)) continue;
    files.emplace_back(fmt::format("{}.{}", setting.section, setting.key), setting.value);
  }
  return files;
}

}  // namespace

std::vector<Finding> CheckSecretFiles(const Config& config) {
  std::vector<Finding> findings;
  for (const auto& [key, path] : SecretFilesOf(config)) {
    struct stat file{};
    if (path.empty() || ::stat(path.c_str(), &file) != 0) continue;
    if ((file.st_mode & S_IRWXO) == 0) continue;
    findings.push_back({Finding::Level::kWarning, key,
                        fmt::format("{}: every account of this machine may read or change it (mode"
                                    " {:04o})",
                                    path, file.st_mode & 07777),
                        fmt::format("chmod o= {}", path), ExitCode::kOk});
  }
  return findings;
}

}  // namespace outboxd
