#include "daemon/config/config_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/any.hpp>
#include <boost/program_options.hpp>
#include <initializer_list>
#include <utility>

#include "daemon/config/config_value.h"

namespace outboxd {

namespace {

namespace po = boost::program_options;

// A value that Boost.Program_options has parsed by `kParse`.
template <auto kParse>
struct As {
  typename decltype(kParse(std::string_view()))::value_type value;
};

// Found by Boost.Program_options through the type of its third parameter.
template <auto kParse>
void validate(boost::any& out, const std::vector<std::string>& words, As<kParse>*, int) {
  auto parsed = kParse(words.front());
  if (!parsed) throw WrongValue(std::move(parsed.error()));
  out = As<kParse>{std::move(*parsed)};
}

// The results are owned by the option they are given to.
template <auto kParse, typename T>
po::value_semantic* Set(T& target) {
  return po::value<As<kParse>>()->notifier(
      [&target](const As<kParse>& parsed) { target = parsed.value; });
}

template <auto kParse, typename T>
po::value_semantic* Append(std::vector<T>& target) {
  return po::value<As<kParse>>()->notifier(
      [&target](const As<kParse>& parsed) { target.push_back(parsed.value); });
}

template <auto kParse>
po::value_semantic* CheckOnly() {
  return po::value<As<kParse>>();
}

// One of the two is set.
struct Key {
  ConfigKey shown;
  po::value_semantic* (*bind)(Config&) = nullptr;
  po::value_semantic* (*bind_outbox)(OutboxConfig&) = nullptr;
};

constexpr bool kRepeatable = true;
constexpr bool kRequired = true;

struct TypeName {
  ConfigType type;
  std::string_view name;
  std::string_view meaning;
};

constexpr auto kTypeNames = std::to_array<TypeName>({
    {ConfigType::kText, "text", "Any text that is not empty."},
    {ConfigType::kWord, "word", "One of the words that the row lists."},
    {ConfigType::kYesNo, "yes or no", "`yes`, `true` or `on`; `no`, `false` or `off`."},
    {ConfigType::kNumber, "number", "Digits only."},
    {ConfigType::kDuration, "duration",
     "A number and `ms`, `s`, `m` or `h`, for example `500ms` or `10m`; from `1ms` to `8784h`."},
    {ConfigType::kSize, "size",
     "A number of bytes; or a number and `KB`, `MB`, `GB` (powers of 1000), `KiB`, `MiB` or `GiB` "
     "(powers of 1024)."},
    {ConfigType::kPath, "path", "The path of a file or of a directory."},
    {ConfigType::kTable, "table", "`DATABASE.TABLE`, without quotes."},
    {ConfigType::kExpression, "expression",
     "A value of the row, in the language of [mapping.md](mapping.md). A column's name is one."},
    {ConfigType::kTopic, "topic",
     "Text with expressions in braces. `{{` and `}}` stand for braces."},
    {ConfigType::kCondition, "condition",
     "`COLUMN = VALUE` and the like, see [mapping.md](mapping.md)."},
    {ConfigType::kNamedValue, "named value",
     "`EXPRESSION:NAME`. With `NAME?` it is left out where the value is NULL."},
});

const TypeName& Named(ConfigType type) {
  return *std::ranges::find(kTypeNames, type, &TypeName::type);
}

std::string DefaultText(const ConfigKey& key) {
  if (key.is_required) return "**required**";
  if (key.default_text.empty()) return "";
  if (!key.default_text.starts_with('(')) return fmt::format("`{}`", key.default_text);
  return std::string(key.default_text.substr(1, key.default_text.size() - 2));
}

ConfigType TypeOf(sinks::SettingKey::Type type) {
  switch (type) {
    case sinks::SettingKey::Type::kText:
      return ConfigType::kText;
    case sinks::SettingKey::Type::kYesNo:
      return ConfigType::kYesNo;
    case sinks::SettingKey::Type::kNumber:
      return ConfigType::kNumber;
  }
  std::unreachable();
}

const std::string& DestinationsText() {
  static const std::string text = [] {
    std::string all;
    for (const sinks::SinkFamily* family : SinkFamilies()) {
      all += all.empty() ? "" : ", or ";
      all += family->words().destination;
    }
    return fmt::format("Where messages go: {}.", all);
  }();
  return text;
}

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      {{"relay", "name", ConfigType::kText, "1 to 64 letters, digits, - and _", "",
        "The name of the relay. Each relay that reads one MySQL server has a name of its own.",
        !kRepeatable, kRequired},
       [](Config& c) { return Set<ParseRelayName>(c.relay.name); }},
      {{"relay", "state-directory", ConfigType::kPath, "",
        "(/var/lib/outboxd/NAME, with relay.name)",
        "The relay keeps its checkpoint, its lock and its records in this directory."},
       [](Config& c) { return Set<ParseText>(c.relay.state_directory); }},
      {{"relay", "spill-directory", ConfigType::kPath, "", "(relay.state-directory)",
        "A large transaction waits in this directory, as far as memory has no room for it."},
       [](Config& c) { return Set<ParseText>(c.relay.spill_directory); }},
      {{"relay", "spill-bytes-max", ConfigType::kSize, "0 to 1048576GiB", "16GiB",
        "The most bytes that all waiting transactions together may take in the spill directory. "
        "Prepared XA transactions count too. Above this the relay holds."},
       [](Config& c) { return Set<ParseByteSize>(c.relay.spill_bytes_max); }},
      {{"relay", "stop-timeout", ConfigType::kDuration, "", "30s",
        "The longest time that a stop waits for the deliveries that are under way."},
       [](Config& c) { return Set<ParseDuration>(c.relay.stop_timeout); }},
      {{"relay", "on-halt", ConfigType::kWord, "exit, park", "exit",
        "What to do where the run fails. With park the process stays up, publishes nothing, and "
        "`outboxd health` tells the reason: for containers. It tries again where that can help."},
       [](Config& c) { return Set<ParseOnHalt>(c.relay.on_halt); }},

      {{"mysql", "host", ConfigType::kText, "HOST or HOST:PORT, or several, separated by commas",
        "127.0.0.1", "The MySQL servers to read from. The relay tries them in this order."},
       [](Config& c) { return Set<ParseHosts>(c.mysql.hosts); }},
      {{"mysql", "port", ConfigType::kNumber, "1 to 65535", "3306",
        "The port of each host that names no port itself."},
       [](Config& c) { return Set<ParsePort>(c.mysql.port); }},
      {{"mysql", "socket", ConfigType::kPath, "", "",
        "The path of the server's Unix socket. It stands instead of host and port."},
       [](Config& c) { return Set<ParseText>(c.mysql.socket); }},
      {{"mysql", "user", ConfigType::kText, "", "outboxd",
        "The account that the relay logs in with."},
       [](Config& c) { return Set<ParseText>(c.mysql.user); }},
      {{"mysql", "password-file", ConfigType::kPath, "", "",
        "The file that holds the password. Without it and mysql.password-command the relay has "
        "none."},
       [](Config& c) { return Set<ParseText>(c.mysql.password_file); }},
      {{"mysql", "password-command", ConfigType::kText, "PROGRAM ARGUMENT ..., without quotes", "",
        "Instead of a file a program, run at each log-in without a shell, that prints the password "
        "or a token on one line within 10 s."},
       [](Config& c) { return Set<ParseCommand>(c.mysql.password_command); }},
      {{"mysql", "tls", ConfigType::kWord, "verify-identity, verify-ca, required, disabled",
        "(disabled on a Unix socket, required on loopback, verify-identity elsewhere)",
        "How the connection is encrypted. Both verify words need mysql.tls-ca."},
       [](Config& c) { return Set<ParseTls>(c.mysql.tls); }},
      {{"mysql", "tls-ca", ConfigType::kPath, "", "",
        "The file with the certificates of the authorities that the relay trusts."},
       [](Config& c) { return Set<ParseText>(c.mysql.tls_ca); }},
      {{"mysql", "tls-cert", ConfigType::kPath, "", "",
        "The file with the relay's own certificate. It needs mysql.tls-key."},
       [](Config& c) { return Set<ParseText>(c.mysql.tls_cert); }},
      {{"mysql", "tls-key", ConfigType::kPath, "", "",
        "The file with the private key of that certificate."},
       [](Config& c) { return Set<ParseText>(c.mysql.tls_key); }},
      {{"mysql", "require", ConfigType::kWord, "any, writable", "any",
        "Which servers are read. With writable the relay waits while a server is read-only: for a "
        "relay beside each server of a group, of which one takes the writes."},
       [](Config& c) { return Set<ParseRequire>(c.mysql.require); }},
      {{"mysql", "server-id", ConfigType::kNumber, "1 to 4294967295",
        "(a number made from relay.name)",
        "The number under which the relay registers at the server. It must differ from that of "
        "every replica and of every other relay."},
       [](Config& c) { return Set<ParseServerId>(c.mysql.server_id); }},
      {{"mysql", "heartbeat", ConfigType::kDuration, "", "1s",
        "How often the server shows that a connection without news is alive."},
       [](Config& c) { return Set<ParseDuration>(c.mysql.heartbeat); }},
      {{"mysql", "first-event-timeout", ConfigType::kDuration, "", "10m",
        "How long the server may search its log before it sends the first binlog event. After "
        "that the connection counts as dead."},
       [](Config& c) { return Set<ParseDuration>(c.mysql.first_event_timeout); }},
      {{"mysql", "lag-timeout", ConfigType::kDuration, "", "60s",
        "How long a transaction that was already read may be missing on every host. After that it "
        "counts as lost."},
       [](Config& c) { return Set<ParseDuration>(c.mysql.lag_timeout); }},

      {{"outbox", "table", ConfigType::kTable, "* and ? stand for any characters and for one", "",
        "The event table, or a pattern that event tables fit.", kRepeatable, kRequired},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseTablePattern>(o.tables); }},
      {{"outbox", "preset", ConfigType::kText, "a name that 'outboxd presets' lists", "debezium",
        "A known layout of event tables. It gives the other keys of this section their defaults."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParsePreset>(o.preset); }},
      {{"outbox", "id", ConfigType::kExpression, "", "id",
        "The id of the event. It becomes the header id."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseText>(o.id); }},
      {{"outbox", "key", ConfigType::kExpression, "may be empty", "aggregateid",
        "The key of the message. Where it is NULL, or this setting is empty, the message has no "
        "key."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.key); }},
      {{"outbox", "payload", ConfigType::kExpression, "", "payload",
        "The value of the message, byte for byte. Where it is NULL, the message has no value."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseText>(o.payload); }},
      {{"outbox", "timestamp", ConfigType::kExpression, "may be empty", "",
        "The time of the message: a DATETIME or TIMESTAMP in UTC, or a number of milliseconds "
        "since 1970. Without this key the time is that of sending."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.timestamp); }},
      {{"outbox", "partition", ConfigType::kExpression, "may be empty", "",
        "The number of the partition. Without this key, and where it is NULL, the message's key "
        "decides."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.partition); }},
      {{"outbox", "topic", ConfigType::kTopic, "", "outbox.event.{aggregatetype}",
        "The topic of the message."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseText>(o.topic); }},
      {{"outbox", "topic-regex", ConfigType::kText, "a regular expression, may be empty", "",
        "Where this fits the whole topic, its first match is replaced."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.topic_regex); }},
      {{"outbox", "topic-replacement", ConfigType::kText, "may be empty", "",
        "The text that replaces the match. $1 and ${name} stand for groups of outbox.topic-regex."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.topic_replacement); }},
      {{"outbox", "header", ConfigType::kNamedValue, "", "", "A header of the message.",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseNamedValue>(o.headers); }},
      {{"outbox", "header-object", ConfigType::kExpression, "may be empty", "",
        "A JSON object. Each of its members becomes a header."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.header_object); }},
      {{"outbox", "member", ConfigType::kNamedValue, "", "",
        "A member of a JSON object. With this key the object of all members is the value of the "
        "message, instead of outbox.payload.",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseNamedValue>(o.members); }},
      {{"outbox", "blank-is-tombstone", ConfigType::kYesNo, "", "no",
        "Whether a payload that is NULL or blank makes a message without value, also where "
        "outbox.member is used."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseYesNo>(o.blank_is_tombstone); }},
      {{"outbox", "each", ConfigType::kExpression, "may be empty", "",
        "A JSON array. Each of its elements becomes a message. The other values name the element "
        "@item."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.each); }},
      {{"outbox", "where", ConfigType::kCondition, "", "",
        "A row is an event only where every one of these conditions holds.", kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseText>(o.where); }},
      {{"outbox", "update-where", ConfigType::kCondition, "", "",
        "With this key updated rows are events too, where every one of these conditions holds. "
        "The event is the row as the update left it.",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseText>(o.update_where); }},
      {{"outbox", "columns", ConfigType::kText, "COLUMN or COLUMN:KIND, separated by commas", "",
        "The columns of the table in their order, for a server whose log does not name them. KIND "
        "is signed, unsigned or a character set, where the log does not tell that either."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseDeclaredColumns>(o.columns); }},
      {{"outbox", "default", ConfigType::kText, "COLUMN:VALUE, or COLUMN for NULL", "",
        "The default of a column, for rows that a session with binlog_row_image = MINIMAL wrote "
        "without it.",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseColumnDefault>(o.defaults); }},
      {{"outbox", "json", ConfigType::kWord, "mysql, debezium", "mysql",
        "How JSON columns print: as MySQL prints them, but compact; or with numbers, times and "
        "opaque values as Debezium prints them."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseJson>(o.json); }},
      {{"outbox", "table-header", ConfigType::kYesNo, "", "yes",
        "Whether messages carry the header outboxd.table."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseYesNo>(o.table_header); }},
      {{"outbox", "position-header", ConfigType::kYesNo, "", "yes",
        "Whether messages carry the header outboxd.position."},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseYesNo>(o.position_header); }},

      {{"sink", "type", ConfigType::kWord, SinkFamilyNames(), SinkFamilies().front()->name(),
        DestinationsText()},
       [](Config& c) { return Set<ParseSinkFamily>(c.sink.family); }},
      {{"topics", "allow", ConfigType::kText, "* and ? stand for any characters and for one", "",
        "A topic that events may go to. Without this key they may go to any topic, but for those "
        "that are internal to the sink.",
        kRepeatable},
       [](Config& c) { return Append<ParseText>(c.topics.allow); }},

      {{"delivery", "guarantee", ConfigType::kWord, "at-least-once", "at-least-once",
        "How often a message arrives. This version has one choice."},
       [](Config&) { return CheckOnly<ParseGuarantee>(); }},
      {{"delivery", "start", ConfigType::kWord, "table, earliest, now, gtid:SET, file:NAME:OFFSET",
        "",
        "Where the relay begins if it has no checkpoint. The relay does not run without a "
        "checkpoint or this key."},
       [](Config& c) { return Set<ParseStart>(c.delivery.start); }},
      {{"delivery", "unlogged-deletes", ConfigType::kWord, "refuse, accept", "refuse",
        "What to do about start = table where a foreign key's cascade changes an event table and "
        "the server does not log it."},
       [](Config& c) { return Set<ParseUnloggedDeletes>(c.delivery.unlogged_deletes); }},
      {{"delivery", "on-bad-event", ConfigType::kWord, "hold, dead-letter, stop", "hold",
        "What to do about an event that cannot be delivered: hold at it, send it to "
        "delivery.dead-letter-topic, or end the run."},
       [](Config& c) { return Set<ParseOnBadEvent>(c.delivery.on_bad_event); }},
      {{"delivery", "dead-letter-topic", ConfigType::kText, "", "",
        "The topic for events that their own topic does not take. It is required where "
        "delivery.on-bad-event is dead-letter. No event may go there by itself."},
       [](Config& c) { return Set<ParseText>(c.delivery.dead_letter_topic); }},
      {{"delivery", "on-statement", ConfigType::kWord, "alarm, stop", "alarm",
        "What to do where a change in statement format may have changed an event table. The rows "
        "of such a change are not in the log."},
       [](Config& c) { return Set<ParseOnStatement>(c.delivery.on_statement); }},
      {{"delivery", "on-update", ConfigType::kWord, "ignore, publish, alarm", "ignore",
        "What to do about updated rows: ignore them, publish the row as the update left it, or "
        "raise an alarm. An upsert or REPLACE is an update where the row existed."},
       [](Config& c) { return Set<ParseOnUpdate>(c.delivery.on_update); }},
      {{"delivery", "on-lost-transactions", ConfigType::kWord, "continue, stop", "continue",
        "What to do where a failover lost transactions that were already read: go on with an "
        "alarm that names their events, or end the run."},
       [](Config& c) { return Set<ParseOnLostTransactions>(c.delivery.on_lost_transactions); }},
      {{"delivery", "in-flight-bytes-max", ConfigType::kSize, "64KiB to 1048576GiB", "32MiB",
        "The most bytes that may be on their way to the sink at a time."},
       [](Config& c) { return Set<ParseInFlightBytes>(c.delivery.in_flight_bytes_max); }},
      {{"delivery", "max-stall", ConfigType::kDuration, "", "10m",
        "How long the relay keeps the server's log open while it can send nothing. After that the "
        "server can purge the log, and the relay reads on later."},
       [](Config& c) { return Set<ParseDuration>(c.delivery.max_stall); }},
      {{"delivery", "max-rate", ConfigType::kNumber, "0 to 1000000000", "0",
        "The most events that the relay publishes in a second. 0 sets no limit."},
       [](Config& c) { return Set<ParseRate>(c.delivery.max_rate); }},

      {{"checkpoint", "store", ConfigType::kWord, "file", "file",
        "Where the checkpoint is kept. This version has one choice."},
       [](Config&) { return CheckOnly<ParseStore>(); }},
      {{"checkpoint", "interval", ConfigType::kDuration, "", "1s",
        "The longest time between two checkpoints while events flow."},
       [](Config& c) { return Set<ParseDuration>(c.checkpoint.interval); }},
      {{"checkpoint", "journal-bytes-max", ConfigType::kSize, "0, or 64KiB to 1048576GiB", "16MiB",
        "The most bytes of the journal of published events. The journal tells which events a "
        "failover lost. With 0 the relay keeps none."},
       [](Config& c) { return Set<ParseJournalBytes>(c.checkpoint.journal_bytes_max); }},

      {{"http", "listen", ConfigType::kText, "ADDRESS:PORT", "",
        "Where the relay answers over TCP, besides its Unix socket: its page, metrics, status and "
        "health. Everyone who reaches the address may read them."},
       [](Config& c) { return Set<ParseListen>(c.http.listen); }},
      {{"http", "debezium-metrics", ConfigType::kYesNo, "", "no",
        "Whether the relay also tells its metrics under the names of Debezium's, at "
        "/metrics/debezium, for dashboards and alerts made for it."},
       [](Config& c) { return Set<ParseYesNo>(c.http.debezium_metrics); }},

      {{"log", "level", ConfigType::kWord, "debug, info, warning, error", "info",
        "The least severe lines that the log shows."},
       [](Config& c) { return Set<ParseLevel>(c.log.level); }},
      {{"log", "format", ConfigType::kWord, "text, json", "text",
        "How the log is written: as lines of text, or as one JSON object a line. The journal of "
        "systemd gets fields of its own instead."},
       [](Config& c) { return Set<ParseLogFormat>(c.log.format); }},
  };
  return keys;
}

}  // namespace

const std::vector<ConfigKey>& ConfigKeys() {
  static const std::vector<ConfigKey> shown = [] {
    std::vector<ConfigKey> all;
    const auto add_families = [&all] {
      for (const sinks::SinkFamily* family : SinkFamilies()) {
        for (const sinks::SettingKey& key : family->keys()) {
          all.push_back(
              {key.section, key.key, TypeOf(key.type), key.values, key.default_text, key.meaning});
        }
      }
    };
    for (const Key& key : Keys()) {
      all.push_back(key.shown);
      if (key.shown.section == "sink") add_families();
    }
    return all;
  }();
  return shown;
}

std::string_view SectionKind(std::string_view section) {
  const std::string_view kind = section.starts_with("outbox.") ? "outbox" : section;
  const auto key = std::ranges::find(ConfigKeys(), kind, &ConfigKey::section);
  return key == ConfigKeys().end() ? std::string_view() : key->section;
}

const ConfigKey* FindConfigKey(std::string_view section, std::string_view key) {
  const std::string_view kind = SectionKind(section);
  for (const ConfigKey& known : ConfigKeys()) {
    if (known.section == kind && (known.key == key || known.key == "*")) return &known;
  }
  return nullptr;
}

bool IsLaterSection(std::string_view section) { return section == "housekeeping"; }

bool IsLaterKey(std::string_view section, std::string_view key) {
  static constexpr std::pair<std::string_view, std::string_view> kLater[] = {
      {"delivery", "standby"},
      {"delivery", "start-order"},
      {"delivery", "transaction-bytes-max"},
      {"relay", "standby"},
  };
  return std::ranges::find(kLater, std::pair(section, key)) != std::end(kLater);
}

std::vector<std::string> ConfigKeyRows() {
  std::vector<std::string> rows;
  for (const ConfigKey& key : ConfigKeys()) {
    rows.push_back(fmt::format("| `{}.{}` | {}{} | {} | {} | {} |", key.section, key.key,
                               Named(key.type).name, key.repeatable ? ", repeatable" : "",
                               key.values, DefaultText(key), key.meaning));
  }
  return rows;
}

std::vector<std::string> ConfigTypeRows() {
  std::vector<std::string> rows;
  for (const TypeName& type : kTypeNames) {
    rows.push_back(fmt::format("| {} | {} |", type.name, type.meaning));
  }
  return rows;
}

void BindConfigKeys(Config& config, po::options_description& options) {
  for (const Key& key : Keys()) {
    if (key.bind == nullptr) continue;
    const std::string name = fmt::format("{}.{}", key.shown.section, key.shown.key);
    options.add_options()(name.c_str(), key.bind(config));
  }
}

void BindOutboxKeys(OutboxConfig& outbox, po::options_description& options) {
  for (const Key& key : Keys()) {
    if (key.bind_outbox == nullptr) continue;
    const std::string name = fmt::format("{}.{}", outbox.section, key.shown.key);
    options.add_options()(name.c_str(), key.bind_outbox(outbox));
  }
}

}  // namespace outboxd
