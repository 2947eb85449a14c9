#include "daemon/config/config_reader.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdlib>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "binlog/table_filter.h"
#include "daemon/checkpoint/file_system.h"
#include "daemon/config/config_keys.h"
#include "daemon/config/ini_file.h"
#include "daemon/config/presets.h"
#include "daemon/mapping/expression.h"
#include "daemon/mapping/outbox_mapping.h"
#include "daemon/text/escaped.h"

namespace outboxd {

namespace {

namespace po = boost::program_options;

constexpr std::size_t kFileBytesMax = 1u << 20;
constexpr std::string_view kLater = "is not available in this version";
// Line numbers below and above those of a file.
constexpr int kCommandLine = -1;
constexpr int kWhole = -2;

// One value that somebody set.
struct Setting {
  std::string section;
  std::string key;
  std::string value;
  int line;  // kCommandLine: set there.

  [[nodiscard]] std::string name() const { return section + "." + key; }
};

// Levenshtein's distance.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

// The nearest of `candidates`; none: nothing that `word` could be a slip of.
std::optional<std::string_view> Nearest(std::string_view word,
                                        const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kWordBytesMax = 100;  // Bounds the work.
  if (word.size() > kWordBytesMax) return std::nullopt;
  std::optional<std::string_view> nearest;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < least) nearest = candidate, least = distance;
  }
  return nearest;
}

std::vector<std::string_view> SectionNames() {
  std::vector<std::string_view> names;
  for (const ConfigKey& key : ConfigKeys()) {
    if (names.empty() || names.back() != key.section) names.push_back(key.section);
  }
  return names;
}

// " HINT: did you mean ...", or what else helps with a key that the section does not have.
std::string HintForKey(std::string_view section, std::string_view key) {
  std::vector<std::string_view> siblings;
  std::optional<std::string_view> elsewhere;
  for (const ConfigKey& known : ConfigKeys()) {
    if (known.section == SectionKind(section)) siblings.push_back(known.key);
    if (known.key == key) elsewhere = known.section;
  }
  if (const auto nearest = Nearest(key, siblings)) {
    return fmt::format(" HINT: did you mean {}?", *nearest);
  }
  if (elsewhere) return fmt::format(" HINT: {} belongs into [{}]", key, *elsewhere);
  return fmt::format(" HINT: keys of [{}]: {}", section, fmt::join(siblings, ", "));
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

// Replaces each ${NAME}; the error names what cannot be.
std::expected<std::string, std::string> ExpandEnvironment(std::string_view text) {
  std::string out;
  for (std::size_t begin = text.find("${"); begin != std::string_view::npos;
       begin = text.find("${")) {
    out += text.substr(0, begin);
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos) {
      return std::unexpected(fmt::format("'{}' lacks a '}}'", Escaped(text.substr(begin))));
    }
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return std::unexpected(
          fmt::format("the environment variable '{}' is not set HINT: under systemd, "
                      "CREDENTIALS_DIRECTORY is set where the unit has LoadCredential=",
                      Escaped(name)));
    }
    out += value;
    text.remove_prefix(end + 1);
  }
  out += text;
  return out;
}

bool IsOutboxName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// What a topic can become; none: anything, so that only the row tells.
std::optional<std::string> TopicPattern(const OutboxConfig& outbox) {
  if (!outbox.topic_regex.empty()) return std::nullopt;
  UsedColumns columns;
  const auto topic = Expression::ParseText(outbox.topic, columns);
  if (!topic) return std::nullopt;
  std::string pattern = topic->Pattern();
  if (pattern.find_first_not_of('*') == std::string::npos) return std::nullopt;
  return pattern;
}

// Of "schema.table"; further dots are the table's.
std::pair<std::string_view, std::string_view> SplitTablePattern(std::string_view name) {
  const std::size_t dot = name.find('.');
  return {name.substr(0, dot), name.substr(dot + 1)};
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) { config_.path = path; }

  void TakeFile(std::string_view text) {
    IniFile ini = ParseIni(text);
    for (const IniFile::Complaint& complaint : ini.complaints) {
      Complain(complaint.line, complaint.text);
    }
    for (const IniFile::Section& section : ini.sections) {
      if (CheckSection(section.name, section.line)) sections_.push_back(section);
    }
    for (IniFile::Entry& entry : ini.entries) {
      // Where it is not, its heading was complained about.
      const auto section = std::ranges::find(sections_, entry.section, &IniFile::Section::name);
      if (section == sections_.end()) continue;
      from_file_.push_back(
          {std::move(entry.section), std::move(entry.key), std::move(entry.value), entry.line});
    }
  }

  void TakeCommandLine(const std::vector<std::string>& overrides) {
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

  [[nodiscard]] Result<Config> Finish() {
    std::erase_if(from_file_, [this](const Setting& setting) { return !IsUsable(setting); });
    std::erase_if(overrides_, [this](const Setting& setting) { return !IsUsable(setting); });
    CheckDuplicates(from_file_);
    CheckDuplicates(overrides_);
    Merge();
    MakeOutboxes();
    StoreValues();
    CheckWhole();
    if (complaints_.empty()) return std::move(config_);
    return Fail(ExitCode::kConfiguration, "{}", AllComplaints());
  }

 private:
  struct Complaint {
    int line;
    std::string text;
  };

  void Complain(int line, std::string text) { complaints_.push_back({line, std::move(text)}); }

  void Complain(const Setting& setting, std::string_view text) {
    const std::string name = Escaped(setting.name());
    Complain(setting.line, setting.line == kCommandLine ? fmt::format("--{}: {}", name, text)
                                                        : fmt::format("{}: {}", name, text));
  }

  bool CheckSection(const std::string& name, int line) {
    if (IsLaterSection(name)) {
      Complain(line, fmt::format("section [{}] {}", name, kLater));
      return false;
    }
    const bool has_wrong_name =
        name.starts_with("outbox.") && !IsOutboxName(std::string_view(name).substr(7));
    if (has_wrong_name) {
      Complain(line, fmt::format("section [{}]: the name behind the dot holds something else than "
                                 "letters, digits, - and _",
                                 Escaped(name)));
      return false;
    }
    if (!SectionKind(name).empty()) return true;
    const auto nearest = Nearest(name, SectionNames());
    const std::string hint = nearest ? fmt::format("did you mean [{}]?", *nearest)
                                     : fmt::format("sections: {}", fmt::join(SectionNames(), ", "));
    Complain(line, fmt::format("unknown section [{}] HINT: {}", Escaped(name), hint));
    return false;
  }

  // `name` with its dashes. The value is not shown in errors: it may be a secret.
  void TakeOverride(const std::string& name, const std::optional<std::string>& value) {
    const std::string shown = Escaped(name);
    if (!name.starts_with("--")) {
      Complain(kCommandLine, fmt::format("'{}' is not --section.key=value", shown));
      return;
    }
    // "outbox.eu.table" and "kafka.bootstrap.servers": only a family's name has a dot before the
    // key, and only librdkafka's keys have dots.
    const std::string full = name.substr(2);
    const std::size_t dot = full.starts_with("outbox.") ? full.rfind('.') : full.find('.');
    if (dot == std::string::npos) {
      Complain(kCommandLine, fmt::format("{}: no such option HINT: keys of the configuration stand "
                                         "as --section.key=value",
                                         shown));
      return;
    }
    Setting setting{full.substr(0, dot), full.substr(dot + 1), value.value_or(""), kCommandLine};
    if (!CheckSection(setting.section, kCommandLine)) return;
    if (IsSecret(setting.key)) {
      Complain(setting,
               "refused, as other users can read the command line HINT: put it into the "
               "configuration file, or into a file of its own that the key with -file "
               "behind its name points to");
    } else if (!value) {
      Complain(setting, "has no value");
    } else {
      overrides_.push_back(std::move(setting));
    }
  }

  // Whether the setting is one that this version has.
  bool IsUsable(const Setting& setting) {
    if (IsLaterKey(SectionKind(setting.section), setting.key)) {
      Complain(setting, kLater);
      return false;
    }
    if (FindConfigKey(setting.section, setting.key) == nullptr) {
      Complain(setting, "unknown key" + HintForKey(setting.section, setting.key));
      return false;
    }
    return true;
  }

  void CheckDuplicates(const std::vector<Setting>& settings) {
    std::map<std::string, int> lines;
    for (const Setting& setting : settings) {
      const auto [earlier, is_first] = lines.emplace(setting.name(), setting.line);
      if (is_first || FindConfigKey(setting.section, setting.key)->repeatable) continue;
      Complain(setting, setting.line == kCommandLine
                            ? "stands twice"
                            : fmt::format("stands twice, first in line {}", earlier->second));
    }
  }

  // The file's settings that the command line does not replace, then the command line's.
  void Merge() {
    for (Setting& setting : from_file_) {
      const bool is_replaced = std::ranges::any_of(overrides_, [&](const Setting& other) {
        return other.section == setting.section && other.key == setting.key;
      });
      if (!is_replaced) settings_.push_back(std::move(setting));
    }
    std::ranges::move(overrides_, std::back_inserter(settings_));
    for (Setting& setting : settings_) {
      if (!MayNameEnvironment(setting.key)) continue;
      auto expanded = ExpandEnvironment(setting.value);
      if (expanded) {
        setting.value = std::move(*expanded);
      } else {
        Complain(setting, expanded.error());
      }
    }
  }

  // One for each [outbox] and [outbox.NAME], in the order in which they first stand.
  void MakeOutboxes() {
    const auto add = [this](const std::string& section) {
      const auto same = std::ranges::find(config_.outboxes, section, &OutboxConfig::section);
      if (SectionKind(section) != "outbox" || same != config_.outboxes.end()) return;
      config_.outboxes.emplace_back().section = section;
    };
    for (const IniFile::Section& section : sections_) add(section.name);
    for (const Setting& setting : settings_) add(setting.section);
  }

  void StoreValues() {
    po::options_description options;
    BindConfigKeys(config_, options);
    for (OutboxConfig& outbox : config_.outboxes) {
      BindOutboxKeys(outbox, options);
      StorePreset(options, outbox.section);
    }
    for (const Setting& setting : settings_) {
      if (setting.section == "kafka") {
        config_.kafka.emplace_back(setting.key, setting.value);
      } else {
        StoreValue(options, setting);
      }
    }
  }

  // What the preset says of the keys that nobody set.
  void StorePreset(const po::options_description& options, const std::string& section) {
    const Setting* named = Find(section, "preset");
    const Preset* preset = FindPreset(named == nullptr ? "debezium" : named->value);
    if (preset == nullptr) return;  // Complained about where it is stored.
    for (const Preset::Setting& setting : preset->settings) {
      if (Find(section, setting.key) != nullptr) continue;
      StoreValue(options,
                 {section, std::string(setting.key), std::string(setting.value), kCommandLine});
    }
  }

  // One at a time, so that an error has its line.
  void StoreValue(const po::options_description& options, const Setting& setting) {
    po::parsed_options parsed(&options);
    parsed.options.emplace_back(setting.name(), std::vector<std::string>{setting.value});
    po::variables_map values;
    try {
      po::store(parsed, values);
      po::notify(values);
    } catch (const po::error& error) {
      Complain(setting, error.what());
    }
  }

  void CheckWhole() {
    if (Find("relay", "name") == nullptr) {
      ComplainMissing("relay.name", "add name = NAME to [relay], letters, digits, - and _");
    }
    if (config_.relay.state_directory.empty()) {
      config_.relay.state_directory = "/var/lib/outboxd/" + config_.relay.name;
    }
    if (config_.relay.spill_directory.empty()) {
      config_.relay.spill_directory = config_.relay.state_directory;
    }
    CheckMysql();
    CheckDeadLetterTopic();
    if (config_.outboxes.empty()) {
      ComplainMissing("outbox.table",
                      "name the event table in [outbox], for example "
                      "table = shop.outbox");
    }
    std::vector<FamilyTable> earlier;
    for (const OutboxConfig& outbox : config_.outboxes) CheckOutbox(outbox, earlier);
  }

  void CheckMysql() {
    const MysqlConfig& mysql = config_.mysql;
    const Setting* host = Find("mysql", "host");
    const Setting* socket = Find("mysql", "socket");
    if (host != nullptr && socket != nullptr) {
      Complain(*socket, "excludes mysql.host HINT: remove one of the two");
    }
    const bool verifies =
        mysql.tls == TlsChoice::kVerifyCa || mysql.tls == TlsChoice::kVerifyIdentity;
    if (verifies && Find("mysql", "tls-ca") == nullptr) {
      Complain(*Find("mysql", "tls"),
               "needs mysql.tls-ca HINT: add tls-ca = FILE with the "
               "authority's certificate");
    }
    const Setting* certificate = Find("mysql", "tls-cert");
    const Setting* key = Find("mysql", "tls-key");
    if ((certificate == nullptr) != (key == nullptr)) {
      Complain(certificate != nullptr ? *certificate : *key,
               "mysql.tls-cert and mysql.tls-key go together");
    }
  }

  // No event may go there by itself: replaying dead letters could not tell it from one of them.
  void CheckDeadLetterTopic() {
    const Setting* setting = Find("delivery", "dead-letter-topic");
    if (setting == nullptr) {
      if (config_.delivery.on_bad_event != DeliveryConfig::OnBadEvent::kDeadLetter) return;
      Complain(*Find("delivery", "on-bad-event"),
               "dead-letter needs delivery.dead-letter-topic HINT: add dead-letter-topic = TOPIC");
      return;
    }
    const std::string& topic = config_.delivery.dead_letter_topic;
    if (topic.starts_with("__")) Complain(*setting, "topics of this kind are internal to Kafka");
    for (const std::string& pattern : config_.topics.allow) {
      if (!binlog::FitsPattern(topic, pattern)) continue;
      Complain(*setting, fmt::format("topics.allow = {} lets events go there too HINT: choose "
                                     "another topic",
                                     Escaped(pattern)));
    }
    if (!config_.topics.allow.empty()) return;
    for (const OutboxConfig& outbox : config_.outboxes) {
      const auto pattern = TopicPattern(outbox);
      if (!pattern || !binlog::FitsPattern(topic, *pattern)) continue;
      Complain(*setting, fmt::format("{}.topic = {} lets events go there too HINT: choose another "
                                     "topic, or name those of events in topics.allow",
                                     outbox.section, Escaped(outbox.topic)));
    }
  }

  // A table pattern and the section that names it.
  struct FamilyTable {
    std::string table;
    std::string section;
  };

  // `earlier`: those of the sections before it.
  void CheckOutbox(const OutboxConfig& outbox, std::vector<FamilyTable>& earlier) {
    if (Find(outbox.section, "table") == nullptr) {
      ComplainMissing(outbox.section + ".table",
                      "name the event table, for example "
                      "table = shop.outbox");
    }
    for (const std::string& table : outbox.tables) {
      CheckOverlap({table, outbox.section}, earlier);
      earlier.push_back({table, outbox.section});
    }
    if (const auto mapping = OutboxMapping::Compile(outbox); !mapping) {
      const Setting* setting = nullptr;
      for (const Setting& candidate : settings_) {
        const bool is_it = mapping.error().message.starts_with(candidate.name() + ": ");
        if (setting == nullptr && is_it) setting = &candidate;
      }
      const int line = setting == nullptr ? kWhole : setting->line;
      Complain(line, (line == kCommandLine ? "--" : "") + mapping.error().message);
    }
  }

  // A row has one mapping, and the initial read goes over a table once.
  void CheckOverlap(const FamilyTable& family, const std::vector<FamilyTable>& earlier) {
    const auto [schema_pattern, table_pattern] = SplitTablePattern(family.table);
    for (const FamilyTable& other : earlier) {
      const auto [other_schema, other_table] = SplitTablePattern(other.table);
      if (!binlog::PatternsMeet(schema_pattern, other_schema) ||
          !binlog::PatternsMeet(table_pattern, other_table)) {
        continue;
      }
      const Setting* setting = FindTable(family);
      if (family.table == other.table) {
        Complain(*setting,
                 fmt::format("'{}' stands in {}.table already HINT: remove one of the two",
                             Escaped(family.table), other.section));
      } else {
        Complain(
            *setting,
            fmt::format("a table can fit both '{}' and '{}' of {}.table HINT: narrow one of the"
                        " two, so that each table belongs to one of them",
                        Escaped(family.table), Escaped(other.table), other.section));
      }
      return;
    }
  }

  // The last one that names this table.
  [[nodiscard]] const Setting* FindTable(const FamilyTable& family) const {
    const Setting* found = Find(family.section, "table");
    for (const Setting& setting : settings_) {
      const bool is_it = setting.section == family.section && setting.key == "table";
      if (is_it && setting.value == family.table) found = &setting;
    }
    return found;
  }

  void ComplainMissing(std::string_view name, std::string_view hint) {
    Complain(kWhole, fmt::format("{}: is missing HINT: {}", name, hint));
  }

  // The first setting of a key; null: nobody set it.
  [[nodiscard]] const Setting* Find(std::string_view section, std::string_view key) const {
    for (const Setting& setting : settings_) {
      if (setting.section == section && setting.key == key) return &setting;
    }
    return nullptr;
  }

  // The file's in the order of its lines, then the command line's, then what nobody wrote.
  [[nodiscard]] std::string AllComplaints() {
    constexpr int kBehindEveryLine = 1 << 30;
    std::ranges::stable_sort(complaints_, {}, [](const Complaint& complaint) {
      return complaint.line > 0 ? complaint.line : kBehindEveryLine - complaint.line;
    });
    std::string all;
    for (const Complaint& complaint : complaints_) {
      if (!all.empty()) all += '\n';
      if (complaint.line > 0) {
        all += fmt::format("{}:{}: ", Escaped(path_), complaint.line);
      } else if (complaint.line == kWhole && !path_.empty()) {
        all += fmt::format("{}: ", Escaped(path_));
      }
      all += complaint.text;
    }
    return all;
  }

  const std::string path_;
  std::vector<IniFile::Section> sections_;
  std::vector<Setting> from_file_;
  std::vector<Setting> overrides_;
  std::vector<Setting> settings_;  // Those that count.
  std::vector<Complaint> complaints_;
  Config config_;
};

Result<std::string> ReadText(const std::string& path) {
  auto text = ReadFile(SystemFiles(), path, kFileBytesMax);
  if (!text) {
    return Fail(ExitCode::kConfiguration,
                "{} HINT: the account that runs outboxd must be able to "
                "read the configuration file",
                text.error().message);
  }
  if (!text->has_value()) {
    return Fail(ExitCode::kConfiguration,
                "{}: no such file HINT: give the path of the configuration file with --config FILE",
                Escaped(path));
  }
  return std::move(**text);
}

}  // namespace

Result<Config> ReadConfig(const std::string& path, const std::vector<std::string>& overrides) {
  Reader reader(path);
  if (!path.empty()) {
    const auto text = ReadText(path);
    if (!text) return std::unexpected(text.error());
    reader.TakeFile(*text);
  }
  reader.TakeCommandLine(overrides);
  return reader.Finish();
}

Result<Config> ReadConfigText(std::string_view text, const std::string& name) {
  Reader reader(name);
  reader.TakeFile(text);
  return reader.Finish();
}

}  // namespace outboxd
