#include "daemon/config/config_reader.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <string_view>
#include <utility>

#include "base/escaped.h"
#include "base/stable_hash.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/config/complaints.h"
#include "daemon/config/config_check.h"
#include "daemon/config/config_files.h"
#include "daemon/config/config_keys.h"
#include "daemon/config/presets.h"
#include "daemon/config/settings.h"

namespace outboxd {

namespace {

namespace po = boost::program_options;

constexpr std::size_t kFileBytesMax = 1u << 20;

// Fills a configuration with the values of settings.
class ConfigFiller {
 public:
  // All three are borrowed.
  ConfigFiller(const Settings& settings, Config& config, Complaints& complaints)
      : settings_(settings), config_(config), complaints_(complaints) {}

  void Fill() {
    // One for each [outbox] and [outbox.NAME].
    for (const std::string& section : settings_.sections) {
      if (SectionKind(section) == "outbox") config_.outboxes.emplace_back().section = section;
    }
    BindConfigKeys(config_, options_);
    for (OutboxConfig& outbox : config_.outboxes) {
      BindOutboxKeys(outbox, options_);
      StorePreset(outbox.section);
    }
    for (const Setting& setting : settings_.all) {
      if (const auto* family = FindFamilyOfKey(setting.section, setting.key)) {
        StoreSinkSetting(*family, setting);
      } else {
        StoreValue(setting);
      }
    }
  }

 private:
  // What the preset says of the keys that nobody set.
  void StorePreset(const std::string& section) {
    const Setting* named = settings_.Find(section, "preset");
    const Preset* preset = FindPreset(named == nullptr ? "debezium" : named->value);
    if (preset == nullptr) return;  // Complained about where it is stored.
    for (const Preset::Setting& setting : preset->settings) {
      if (settings_.Find(section, setting.key) != nullptr) continue;
      StoreValue(
          {section, std::string(setting.key), std::string(setting.value), Setting::kCommandLine});
    }
  }

  void StoreSinkSetting(const sinks::SinkFamily& family, const Setting& setting) {
    sinks::Setting given{setting.section, setting.key, setting.value};
    if (const auto good = family.CheckSetting(given); !good) {
      complaints_.Add(setting, good.error().message, good.error().hint);
    } else {
      config_.sink.settings.push_back(std::move(given));
    }
  }

  // One at a time, so that an error has its line.
  void StoreValue(const Setting& setting) {
    po::parsed_options parsed(&options_);
    parsed.options.emplace_back(setting.name(), std::vector<std::string>{setting.value});
    po::variables_map values;
    try {
      po::store(parsed, values);
      po::notify(values);
    } catch (const WrongValue& wrong) {
      complaints_.Add(setting, wrong.error().message, wrong.error().hint);
    } catch (const po::error& error) {
      complaints_.Add(setting, error.what());
    }
  }

  const Settings& settings_;
  Config& config_;
  Complaints& complaints_;
  po::options_description options_;  // Stores into config_.
};

// Defaults that other keys make.
void FillInDirectories(RelayConfig& relay) {
  if (relay.state_directory.empty()) relay.state_directory = "/var/lib/outboxd/" + relay.name;
  if (relay.spill_directory.empty()) relay.spill_directory = relay.state_directory;
}

// The speed changes nothing of what is published.
bool IsRule(const Setting& setting) {
  const std::string_view kind = SectionKind(setting.section);
  return kind == "outbox" || kind == "topics" || (kind == "delivery" && setting.key != "max-rate");
}

RulesHash HashOf(const Settings& settings) {
  std::vector<std::string> lines;
  for (const Setting& setting : settings.all) {
    if (IsRule(setting)) lines.push_back(fmt::format("{}={}\n", setting.name(), setting.value));
  }
  std::ranges::sort(lines);
  RulesHash hash;
  for (const std::string& line : lines) hash.value = StableHash(line, hash.value);
  return hash;
}

Result<Config> Read(const std::string& path, std::string_view text,
                    const std::vector<std::string>& overrides) {
  Complaints complaints(path);
  const Settings settings =
      CollectSettings(ReadConfigFiles(text, complaints), overrides, complaints);
  Config config;
  config.path = path;
  ConfigFiller(settings, config, complaints).Fill();
  FillInDirectories(config.relay);
  config.rules_hash = HashOf(settings);
  CheckConfig(config, settings, complaints);
  if (!complaints.empty()) return std::unexpected(complaints.All());
  return config;
}

Result<std::string> ReadText(const std::string& path) {
  auto text = ReadFile(SystemFiles(), path, kFileBytesMax);
  if (!text) {
    return Fail(ExitCode::kConfiguration, "{}", text.error().message)
        .Hint("the account that runs outboxd must be able to read the configuration file");
  }
  if (!text->has_value()) {
    return Fail(ExitCode::kConfiguration, "{}: no such file", Escaped(path))
        .Hint("give the path of the configuration file with --config FILE");
  }
  return std::move(**text);
}

}  // namespace

Result<Config> ReadConfig(const std::string& path, const std::vector<std::string>& overrides) {
  if (path.empty()) return Read(path, "", overrides);
  const auto text = ReadText(path);
  if (!text) return std::unexpected(text.error());
  return Read(path, *text, overrides);
}

Result<Config> ReadConfigText(std::string_view text, const std::string& name) {
  return Read(name, text, {});
}

}  // namespace outboxd
