#include "daemon/config/reloadable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>

namespace outboxd {
namespace {

using SinkSettings = std::vector<sinks::Setting>;

struct ReloadableKey {
  std::string_view name;
  bool (*is_same)(const Config& one, const Config& other);
  void (*copy)(const Config& from, Config& to);
};

template <auto kSection, auto kMember>
constexpr ReloadableKey KeyOf(std::string_view name) {
  return {name,
          [](const Config& one, const Config& other) {
            return one.*kSection.*kMember == other.*kSection.*kMember;
          },
          [](const Config& from, Config& to) { to.*kSection.*kMember = from.*kSection.*kMember; }};
}

constexpr auto kKeys = std::to_array<ReloadableKey>({
    KeyOf<&Config::log, &LogConfig::level>("log.level"),
    KeyOf<&Config::delivery, &DeliveryConfig::max_rate>("delivery.max-rate"),
    KeyOf<&Config::mysql, &MysqlConfig::user>("mysql.user"),
    KeyOf<&Config::mysql, &MysqlConfig::password_file>("mysql.password-file"),
    KeyOf<&Config::mysql, &MysqlConfig::password_command>("mysql.password-command"),
    KeyOf<&Config::mysql, &MysqlConfig::tls_ca>("mysql.tls-ca"),
    KeyOf<&Config::mysql, &MysqlConfig::tls_cert>("mysql.tls-cert"),
    KeyOf<&Config::mysql, &MysqlConfig::tls_key>("mysql.tls-key"),
});

// Of the settings of the sink that are credentials, or are not.
SinkSettings SettingsThat(const Config& config, bool are_credentials) {
  SinkSettings chosen;
  std::ranges::copy_if(config.sink.settings, std::back_inserter(chosen),
                       [&](const sinks::Setting& setting) {
                         return config.sink.family->IsCredential(setting) == are_credentials;
                       });
  return chosen;
}

// Those that only one of the two has.
SinkSettings Differences(const SinkSettings& one, const SinkSettings& other) {
  SinkSettings differing;
  const auto add = [&differing](const SinkSettings& from, const SinkSettings& beside) {
    std::ranges::copy_if(from, std::back_inserter(differing), [&](const sinks::Setting& setting) {
      return std::ranges::find(beside, setting) == beside.end();
    });
  };
  add(one, other);
  add(other, one);
  return differing;
}

void AddOutboxes(const Config& one, const Config& other, std::set<std::string>& sections) {
  for (const OutboxConfig& outbox : one.outboxes) {
    if (std::ranges::find(other.outboxes, outbox) != other.outboxes.end()) continue;
    sections.insert(fmt::format("[{}]", outbox.section));
  }
}

}  // namespace

std::vector<std::string> ReloadableChanges(const Config& in_force, const Config& fresh) {
  std::vector<std::string> names;
  for (const ReloadableKey& key : kKeys) {
    if (!key.is_same(in_force, fresh)) names.emplace_back(key.name);
  }
  const SinkSettings ours = SettingsThat(in_force, true);
  const SinkSettings theirs = SettingsThat(fresh, true);
  std::set<std::string> settings;
  for (const sinks::Setting& setting : Differences(ours, theirs)) {
    settings.insert(fmt::format("{}.{}", setting.section, setting.key));
  }
  names.insert(names.end(), settings.begin(), settings.end());
  return names;
}

std::vector<std::string> ChangesForRestart(const Config& in_force, const Config& fresh) {
  Config other = fresh;
  for (const ReloadableKey& key : kKeys) key.copy(in_force, other);
  std::set<std::string> sections;
  const auto compare = [&sections](const auto& one, const auto& two, const char* section) {
    if (one != two) sections.insert(section);
  };
  compare(in_force.relay, other.relay, "[relay]");
  compare(in_force.mysql, other.mysql, "[mysql]");
  compare(in_force.sink.family, other.sink.family, "[sink]");
  compare(in_force.topics, other.topics, "[topics]");
  compare(in_force.delivery, other.delivery, "[delivery]");
  compare(in_force.checkpoint, other.checkpoint, "[checkpoint]");
  compare(in_force.log, other.log, "[log]");
  // A program where there was none takes memory that was counted for events when the relay began.
  if (in_force.mysql.password_command.empty() != fresh.mysql.password_command.empty()) {
    sections.insert("[mysql]");
  }
  const sinks::SinkFamily& family = *in_force.sink.family;
  if (family.RunsProgram(in_force.sink.settings) != family.RunsProgram(fresh.sink.settings)) {
    sections.insert(fmt::format("[{}]", family.name()));
  }
  const SinkSettings ours = SettingsThat(in_force, false);
  const SinkSettings theirs = SettingsThat(other, false);
  for (const sinks::Setting& setting : Differences(ours, theirs)) {
    sections.insert(fmt::format("[{}]", setting.section));
  }
  AddOutboxes(in_force, other, sections);
  AddOutboxes(other, in_force, sections);
  // In another order the same rows may be those of another section.
  if (sections.empty() && in_force.outboxes != other.outboxes) sections.insert("[outbox]");
  if (sections.empty() && ours != theirs) {
    for (const sinks::Setting& setting : ours)
      sections.insert(fmt::format("[{}]", setting.section));
  }
  return {sections.begin(), sections.end()};
}

}  // namespace outboxd
