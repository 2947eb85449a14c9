#include "daemon/config/settings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "base/escaped.h"
#include "base/nearest_word.h"
#include "daemon/config/config_keys.h"
#include "daemon/config/config_value.h"
#include "daemon/config/environment_variables.h"
#include "daemon/plain_name.h"

namespace outboxd {
namespace {

std::vector<std::string_view> SectionNames() {
  std::vector<std::string_view> names;
  for (const ConfigKey& key : ConfigKeys()) {
    if (names.empty() || names.back() != key.section) names.push_back(key.section);
  }
  return names;
}

// "did you mean ...", or what else helps with a key that the section does not have.
std::string HintForKey(std::string_view section, std::string_view key) {
  std::vector<std::string_view> siblings;
  std::optional<std::string_view> elsewhere;
  for (const ConfigKey& known : ConfigKeys()) {
    if (known.section == SectionKind(section)) siblings.push_back(known.key);
    if (known.key == key) elsewhere = known.section;
  }
  if (const auto nearest = NearestWord(key, siblings)) {
    return fmt::format("did you mean {}?", *nearest);
  }
  if (elsewhere) return fmt::format("{} belongs into [{}]", key, *elsewhere);
  return fmt::format("keys of [{}]: {}", section, fmt::join(siblings, ", "));
}

bool IsSecret(std::string_view key) {
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower.ends_with("password") || lower.ends_with("secret") || lower == "ssl.key.pem" ||
         lower == "sasl.jaas.config" || lower == "sasl.oauthbearer.config";
}

bool MayNameEnvironment(std::string_view key) {
  return key.ends_with("-file") || key.ends_with("directory");
}

class Collector {
 public:
  explicit Collector(Complaints& complaints) : complaints_(complaints) {}

  void TakeFile(ConfigFile file) {
    for (IniFile::Complaint& complaint : file.ini.complaints) {
      complaints_.Add(complaint.line, std::move(complaint.text), std::move(complaint.hint),
                      file.number);
    }
    for (const IniFile::Section& section : file.ini.sections) {
      if (CheckSection(section.name, section.line, file.number)) AddSection(section.name);
    }
    std::vector<Setting>& settings = layers_.emplace_back();
    for (IniFile::Entry& entry : file.ini.entries) {
      // Where it is not, its heading was complained about.
      if (!HasSection(entry.section)) continue;
      settings.push_back({std::move(entry.section), std::move(entry.key), std::move(entry.value),
                          entry.line, file.number});
    }
  }

  void TakeCommandLine(const std::vector<std::string>& overrides) {
    layers_.emplace_back();
    for (std::size_t i = 0; i < overrides.size(); ++i) {
      const std::string& word = overrides[i];
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      std::optional<std::string> value;
      if (equals != std::string::npos) {
        value = word.substr(equals + 1);
      } else if (i + 1 < overrides.size() && !overrides[i + 1].starts_with("--")) {
        value = overrides[++i];
      }
      TakeOverride(name, value);
    }
  }

  [[nodiscard]] Settings Finish() {
    for (std::vector<Setting>& settings : layers_) {
      std::erase_if(settings, [this](const Setting& setting) { return !IsUsable(setting); });
      CheckDuplicates(settings);
    }
    Merge();
    for (Setting& setting : settings_.all) PutEnvironmentInto(setting);
    return std::move(settings_);
  }

 private:
  bool CheckSection(const std::string& name, int line, int file = 0) {
    if (IsLaterSection(name)) {
      complaints_.Add(line, fmt::format("section [{}] {}", name, kNotInThisVersion), {}, file);
      return false;
    }
    const bool has_wrong_name =
        name.starts_with("outbox.") && !IsPlainName(std::string_view(name).substr(7));
    if (has_wrong_name) {
      complaints_.Add(line,
                      fmt::format("section [{}]: the name behind the dot holds something else than "
                                  "letters, digits, - and _",
                                  Escaped(name)),
                      {}, file);
      return false;
    }
    if (!SectionKind(name).empty()) return true;
    const auto nearest = NearestWord(name, SectionNames());
    std::string hint = nearest ? fmt::format("did you mean [{}]?", *nearest)
                               : fmt::format("sections: {}", fmt::join(SectionNames(), ", "));
    complaints_.Add(line, fmt::format("unknown section [{}]", Escaped(name)), std::move(hint),
                    file);
    return false;
  }

  // `name` with its dashes. The value is not shown in errors: it may be a secret.
  void TakeOverride(const std::string& name, const std::optional<std::string>& value) {
    const std::string shown = Escaped(name);
    if (!name.starts_with("--")) {
      complaints_.Add(Setting::kCommandLine, fmt::format("'{}' is not --section.key=value", shown));
      return;
    }
    // "outbox.eu.table", but "kafka.bootstrap.servers": only the name of a section of event tables
    // has a dot, and only keys of sinks have dots.
    const std::string full = name.substr(2);
    const std::size_t dot = full.starts_with("outbox.") ? full.rfind('.') : full.find('.');
    if (dot == std::string::npos) {
      complaints_.Add(Setting::kCommandLine, shown + ": no such option",
                      "keys of the configuration stand as --section.key=value");
      return;
    }
    Setting setting{full.substr(0, dot), full.substr(dot + 1), value.value_or(""),
                    Setting::kCommandLine};
    if (!CheckSection(setting.section, Setting::kCommandLine)) return;
    if (IsSecret(setting.key)) {
      complaints_.Add(setting, "refused, as other users can read the command line",
                      "put it into the configuration file, or into a file of its own that the key "
                      "with -file behind its name points to");
    } else if (!value) {
      complaints_.Add(setting, "has no value");
    } else {
      layers_.back().push_back(std::move(setting));
    }
  }

  // Whether the setting is one that this version has.
  bool IsUsable(const Setting& setting) {
    if (IsLaterKey(SectionKind(setting.section), setting.key)) {
      complaints_.Add(setting, kNotInThisVersion);
      return false;
    }
    if (FindConfigKey(setting.section, setting.key) == nullptr) {
      complaints_.Add(setting, "unknown key", HintForKey(setting.section, setting.key));
      return false;
    }
    return true;
  }

  void CheckDuplicates(const std::vector<Setting>& settings) {
    std::map<std::string, int> lines;
    for (const Setting& setting : settings) {
      const auto [earlier, is_first] = lines.emplace(setting.name(), setting.line);
      if (is_first || FindConfigKey(setting.section, setting.key)->repeatable) continue;
      complaints_.Add(setting,
                      setting.line == Setting::kCommandLine
                          ? "stands twice"
                          : fmt::format("stands twice, first in line {}", earlier->second));
    }
  }

  // Of each layer what no layer above it replaces.
  void Merge() {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      for (const Setting& setting : layers_[i]) {
        if (IsSetAbove(i, setting)) continue;
        AddSection(setting.section);
        settings_.all.push_back(setting);
      }
    }
  }

  [[nodiscard]] bool IsSetAbove(std::size_t layer, const Setting& setting) const {
    for (std::size_t i = layer + 1; i < layers_.size(); ++i) {
      for (const Setting& other : layers_[i]) {
        if (other.section == setting.section && other.key == setting.key) return true;
      }
    }
    return false;
  }

  void PutEnvironmentInto(Setting& setting) {
    if (!MayNameEnvironment(setting.key)) return;
    auto expanded = ExpandEnvironment(setting.value);
    if (expanded) {
      setting.value = std::move(*expanded);
    } else {
      complaints_.Add(setting, expanded.error().message, expanded.error().hint);
    }
  }

  [[nodiscard]] bool HasSection(std::string_view name) const {
    return std::ranges::find(settings_.sections, name) != settings_.sections.end();
  }
  void AddSection(const std::string& name) {
    if (!HasSection(name)) settings_.sections.push_back(name);
  }

  Complaints& complaints_;
  std::vector<std::vector<Setting>> layers_;  // Each file's, then the command line's.
  Settings settings_;
};

}  // namespace

const Setting* Settings::Find(std::string_view section, std::string_view key) const {
  for (const Setting& setting : all) {
    if (setting.section == section && setting.key == key) return &setting;
  }
  return nullptr;
}

Settings CollectSettings(std::vector<ConfigFile> files, const std::vector<std::string>& overrides,
                         Complaints& complaints) {
  Collector collector(complaints);
  for (ConfigFile& file : files) collector.TakeFile(std::move(file));
  collector.TakeCommandLine(overrides);
  return collector.Finish();
}

}  // namespace outboxd
