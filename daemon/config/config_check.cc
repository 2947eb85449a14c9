#include "daemon/config/config_check.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/escaped.h"
#include "base/glob.h"
#include "daemon/mapping/expression.h"
#include "daemon/mapping/outbox_mapping.h"

namespace outboxd {
namespace {

// A table pattern and the section that names it.
struct NamedTable {
  std::string table;
  std::string section;
};

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

bool CanMeet(std::string_view one, std::string_view other) {
  const auto [schema, table] = SplitTablePattern(one);
  const auto [other_schema, other_table] = SplitTablePattern(other);
  return PatternsMeet(schema, other_schema) && PatternsMeet(table, other_table);
}

class Checker {
 public:
  Checker(const Config& config, const Settings& settings, Complaints& complaints)
      : config_(config), settings_(settings), complaints_(complaints) {}

  void Check() {
    if (settings_.Find("relay", "name") == nullptr) {
      ComplainMissing("relay.name", "add name = NAME to [relay], letters, digits, - and _");
    }
    CheckMysql();
    CheckDeadLetterTopic();
    if (config_.outboxes.empty()) {
      ComplainMissing("outbox.table",
                      "name the event table in [outbox], for example table = shop.outbox");
    }
    std::vector<NamedTable> earlier;
    for (const OutboxConfig& outbox : config_.outboxes) {
      CheckTables(outbox, earlier);
      CheckMapping(outbox);
    }
  }

 private:
  void CheckMysql() {
    const MysqlConfig& mysql = config_.mysql;
    const Setting* host = settings_.Find("mysql", "host");
    const Setting* socket = settings_.Find("mysql", "socket");
    if (host != nullptr && socket != nullptr) {
      complaints_.Add(*socket, "excludes mysql.host", "remove one of the two");
    }
    const Setting* command = settings_.Find("mysql", "password-command");
    if (command != nullptr && settings_.Find("mysql", "password-file") != nullptr) {
      complaints_.Add(*command, "excludes mysql.password-file", "remove one of the two");
    }
    const bool verifies =
        mysql.tls == TlsChoice::kVerifyCa || mysql.tls == TlsChoice::kVerifyIdentity;
    if (verifies && settings_.Find("mysql", "tls-ca") == nullptr) {
      complaints_.Add(*settings_.Find("mysql", "tls"), "needs mysql.tls-ca",
                      "add tls-ca = FILE with the authority's certificate");
    }
    const Setting* certificate = settings_.Find("mysql", "tls-cert");
    const Setting* key = settings_.Find("mysql", "tls-key");
    if ((certificate == nullptr) != (key == nullptr)) {
      complaints_.Add(certificate != nullptr ? *certificate : *key,
                      "mysql.tls-cert and mysql.tls-key go together");
    }
  }

  // No event may go there by itself: replaying dead letters could not tell it from one of them.
  void CheckDeadLetterTopic() {
    const Setting* setting = settings_.Find("delivery", "dead-letter-topic");
    if (setting == nullptr) {
      if (config_.delivery.on_bad_event != DeliveryConfig::OnBadEvent::kDeadLetter) return;
      complaints_.Add(*settings_.Find("delivery", "on-bad-event"),
                      "dead-letter needs delivery.dead-letter-topic",
                      "add dead-letter-topic = TOPIC");
      return;
    }
    const std::string& topic = config_.delivery.dead_letter_topic;
    if (const auto good = config_.sink.family->CheckTopicName(topic); !good) {
      complaints_.Add(*setting, good.error().message, good.error().hint);
    }
    for (const std::string& pattern : config_.topics.allow) {
      if (!FitsPattern(topic, pattern)) continue;
      complaints_.Add(*setting,
                      fmt::format("topics.allow = {} lets events go there too", Escaped(pattern)),
                      "choose another topic");
    }
    if (!config_.topics.allow.empty()) return;
    for (const OutboxConfig& outbox : config_.outboxes) {
      const auto pattern = TopicPattern(outbox);
      if (!pattern || !FitsPattern(topic, *pattern)) continue;
      complaints_.Add(*setting,
                      fmt::format("{}.topic = {} lets events go there too", outbox.section,
                                  Escaped(outbox.topic)),
                      "choose another topic, or name those of events in topics.allow");
    }
  }

  // `earlier`: the tables of the sections before it, to which those of this one are added.
  void CheckTables(const OutboxConfig& outbox, std::vector<NamedTable>& earlier) {
    if (settings_.Find(outbox.section, "table") == nullptr) {
      ComplainMissing(outbox.section + ".table",
                      "name the event table, for example table = shop.outbox");
    }
    for (const std::string& table : outbox.tables) {
      CheckOverlap({table, outbox.section}, earlier);
      earlier.push_back({table, outbox.section});
    }
  }

  // A row has one mapping, and the initial read goes over a table once.
  void CheckOverlap(const NamedTable& named, const std::vector<NamedTable>& earlier) {
    for (const NamedTable& other : earlier) {
      if (!CanMeet(named.table, other.table)) continue;
      const Setting* setting = FindTable(named);
      if (named.table == other.table) {
        complaints_.Add(
            *setting,
            fmt::format("'{}' stands in {}.table already", Escaped(named.table), other.section),
            "remove one of the two");
      } else {
        complaints_.Add(*setting,
                        fmt::format("a table can fit both '{}' and '{}' of {}.table",
                                    Escaped(named.table), Escaped(other.table), other.section),
                        "narrow one of the two, so that each table belongs to one of them");
      }
      return;
    }
  }

  // The last one that names this table.
  [[nodiscard]] const Setting* FindTable(const NamedTable& named) const {
    const Setting* found = settings_.Find(named.section, "table");
    for (const Setting& setting : settings_.all) {
      const bool is_it = setting.section == named.section && setting.key == "table";
      if (is_it && setting.value == named.table) found = &setting;
    }
    return found;
  }

  // What is wrong with a mapping begins with the name of its key, which stands in the first line
  // that sets it; nowhere, where it is a default or the preset's.
  void CheckMapping(const OutboxConfig& outbox) {
    const auto mapping = OutboxMapping::Compile(outbox);
    if (mapping) return;
    const std::string_view message = mapping.error().message;
    for (const Setting& setting : settings_.all) {
      const std::string place = setting.name() + ": ";
      if (!message.starts_with(place)) continue;
      complaints_.Add(setting, message.substr(place.size()), mapping.error().hint);
      return;
    }
    complaints_.AddOfWhole(std::string(message), mapping.error().hint);
  }

  void ComplainMissing(std::string_view name, std::string hint) {
    complaints_.AddOfWhole(fmt::format("{}: is missing", name), std::move(hint));
  }

  const Config& config_;
  const Settings& settings_;
  Complaints& complaints_;
};

}  // namespace

void CheckConfig(const Config& config, const Settings& settings, Complaints& complaints) {
  Checker(config, settings, complaints).Check();
}

}  // namespace outboxd
