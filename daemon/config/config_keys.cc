#include "daemon/config/config_keys.h"

#include <fmt/format.h>

#include <algorithm>
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
  if (!parsed) throw po::error(parsed.error());
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

// One of the two is set, except for [kafka], whose properties are taken as they are.
struct Key {
  ConfigKey shown;
  po::value_semantic* (*bind)(Config&) = nullptr;
  po::value_semantic* (*bind_outbox)(OutboxConfig&) = nullptr;
};

constexpr bool kRepeatable = true;

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      {{"relay", "name", "", "the relay's name: letters, digits, - and _ (required)"},
       [](Config& c) { return Set<ParseRelayName>(c.relay.name); }},
      {{"relay", "state-directory", "/var/lib/outboxd/NAME",
        "where the checkpoint and the lock stand"},
       [](Config& c) { return Set<ParseText>(c.relay.state_directory); }},
      {{"relay", "spill-directory", "the state directory",
        "where the part of a large transaction that memory has no room for waits"},
       [](Config& c) { return Set<ParseText>(c.relay.spill_directory); }},
      {{"relay", "spill-bytes-max", "16GiB",
        "most bytes that all transactions together, prepared XA ones included, may take in the "
        "spill directory; above it the relay holds"},
       [](Config& c) { return Set<ParseByteSize>(c.relay.spill_bytes_max); }},
      {{"relay", "stop-timeout", "30s", "longest time that a stop may take to finish deliveries"},
       [](Config& c) { return Set<ParseDuration>(c.relay.stop_timeout); }},

      {{"mysql", "host", "127.0.0.1",
        "host or host:port, or a list separated by commas, tried in order"},
       [](Config& c) { return Set<ParseHosts>(c.mysql.hosts); }},
      {{"mysql", "port", "3306", "port of the hosts that name none"},
       [](Config& c) { return Set<ParsePort>(c.mysql.port); }},
      {{"mysql", "socket", "", "path of the server's Unix socket, instead of host and port"},
       [](Config& c) { return Set<ParseText>(c.mysql.socket); }},
      {{"mysql", "user", "outboxd", "account to log in with"},
       [](Config& c) { return Set<ParseText>(c.mysql.user); }},
      {{"mysql", "password-file", "", "file with the password; not set: log in without one"},
       [](Config& c) { return Set<ParseText>(c.mysql.password_file); }},
      {{"mysql", "tls", "by address",
        "verify-identity, verify-ca, required or disabled; not set: disabled on a Unix socket, "
        "required on loopback, verify-identity elsewhere"},
       [](Config& c) { return Set<ParseTls>(c.mysql.tls); }},
      {{"mysql", "tls-ca", "", "file with the certificates of the authorities to trust"},
       [](Config& c) { return Set<ParseText>(c.mysql.tls_ca); }},
      {{"mysql", "tls-cert", "", "file with the client's certificate"},
       [](Config& c) { return Set<ParseText>(c.mysql.tls_cert); }},
      {{"mysql", "tls-key", "", "file with the client certificate's private key"},
       [](Config& c) { return Set<ParseText>(c.mysql.tls_key); }},
      {{"mysql", "server-id", "from relay.name",
        "number as which the relay registers; unique among the server's replicas"},
       [](Config& c) { return Set<ParseServerId>(c.mysql.server_id); }},
      {{"mysql", "heartbeat", "1s", "how often the server shows that an idle stream is alive"},
       [](Config& c) { return Set<ParseDuration>(c.mysql.heartbeat); }},
      {{"mysql", "first-event-timeout", "10m",
        "how long the server may search its log until it sends the first event; then the "
        "connection counts as dead"},
       [](Config& c) { return Set<ParseDuration>(c.mysql.first_event_timeout); }},
      {{"mysql", "lag-timeout", "60s",
        "how long transactions that were read already may be missing on every host before they "
        "count as lost"},
       [](Config& c) { return Set<ParseDuration>(c.mysql.lag_timeout); }},

      {{"outbox", "table", "",
        "event table, DATABASE.TABLE; * and ? stand for any characters and "
        "for one (required)",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseTablePattern>(o.tables); }},
      {{"outbox", "preset", "debezium", "layout that gives the other keys their defaults"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParsePreset>(o.preset); }},
      {{"outbox", "id", "id", "the event's id, which becomes the header id"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseText>(o.id); }},
      {{"outbox", "key", "aggregateid", "the message's key; empty, or NULL: no key"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.key); }},
      {{"outbox", "payload", "payload",
        "the message's value, byte for byte; NULL: a message without value"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseText>(o.payload); }},
      {{"outbox", "timestamp", "",
        "the message's time, DATETIME or TIMESTAMP in UTC, or a number of milliseconds since 1970; "
        "not set: the time of sending"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.timestamp); }},
      {{"outbox", "partition", "", "the partition's number; not set, or NULL: chosen by key"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.partition); }},
      {{"outbox", "topic", "outbox.event.{aggregatetype}",
        "topic: text with columns in braces; {{ and }} stand for braces"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseText>(o.topic); }},
      {{"outbox", "topic-regex", "",
        "regular expression; where it fits the whole topic, its first match is replaced"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.topic_regex); }},
      {{"outbox", "topic-replacement", "",
        "what stands there then; $1 and ${name} are groups of topic-regex"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.topic_replacement); }},
      {{"outbox", "header", "", "VALUE:NAME, a header; NAME?: without it where the value is NULL",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseNamedValue>(o.headers); }},
      {{"outbox", "header-object", "", "a JSON object whose members become headers"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.header_object); }},
      {{"outbox", "member", "",
        "VALUE:NAME, a member of a JSON object that is the message's value, instead of payload; "
        "NAME?: without it where the value is NULL",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseNamedValue>(o.members); }},
      {{"outbox", "blank-is-tombstone", "no",
        "whether a payload that is NULL or blank makes a message without value, also with members"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseYesNo>(o.blank_is_tombstone); }},
      {{"outbox", "each", "",
        "a JSON array, each element of which becomes a message; it is @item in the other values"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseOptionalText>(o.each); }},
      {{"outbox", "where", "",
        "condition, COLUMN = VALUE and the like; rows for which one does not hold are no events",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseText>(o.where); }},
      {{"outbox", "update-where", "",
        "condition; updated rows for which all of these hold are events too, as they are then",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseText>(o.update_where); }},
      {{"outbox", "columns", "",
        "the table's columns in order, separated by commas, for servers whose log lacks the names; "
        "COLUMN:KIND, with signed, unsigned or a character set, where it lacks that too"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseDeclaredColumns>(o.columns); }},
      {{"outbox", "default", "",
        "COLUMN:VALUE, or COLUMN for NULL: the column's default, for rows that a session with "
        "binlog_row_image = MINIMAL wrote without it",
        kRepeatable},
       nullptr,
       [](OutboxConfig& o) { return Append<ParseColumnDefault>(o.defaults); }},
      {{"outbox", "json", "mysql",
        "how JSON columns print: mysql (MySQL's own text, compact) or debezium (numbers, times and "
        "opaque values as Debezium prints them)"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseJson>(o.json); }},
      {{"outbox", "table-header", "yes", "whether messages carry the header outboxd.table"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseYesNo>(o.table_header); }},
      {{"outbox", "position-header", "yes", "whether messages carry the header outboxd.position"},
       nullptr,
       [](OutboxConfig& o) { return Set<ParseYesNo>(o.position_header); }},

      {{"sink", "type", "kafka", "kafka, or stdout: one JSON object a line"},
       [](Config& c) { return Set<ParseSinkType>(c.sink.type); }},
      {{"kafka", "*", "", "any property of librdkafka, such as bootstrap.servers"}},

      {{"topics", "create", "no", "whether to create topics that are missing"},
       [](Config& c) { return Set<ParseYesNo>(c.topics.create); }},
      {{"topics", "partitions", "3", "partitions of a topic that is created"},
       [](Config& c) { return Set<ParsePartitions>(c.topics.partitions); }},
      {{"topics", "replication", "3", "replicas of a topic that is created"},
       [](Config& c) { return Set<ParseReplication>(c.topics.replication); }},
      {{"topics", "allow", "", "topics that may be written to, * and ? allowed; not set: any",
        kRepeatable},
       [](Config& c) { return Append<ParseText>(c.topics.allow); }},

      {{"delivery", "guarantee", "at-least-once", "at-least-once is the one of this version"},
       [](Config&) { return CheckOnly<ParseGuarantee>(); }},
      {{"delivery", "start", "",
        "where to begin without a checkpoint: table, earliest, now, gtid:SET or file:NAME:OFFSET"},
       [](Config& c) { return Set<ParseStart>(c.delivery.start); }},
      {{"delivery", "unlogged-deletes", "refuse",
        "what to do about start = table where a foreign key's cascade deletes or changes rows of an"
        " event table without the server's logging it: refuse or accept"},
       [](Config& c) { return Set<ParseUnloggedDeletes>(c.delivery.unlogged_deletes); }},
      {{"delivery", "on-bad-event", "hold",
        "what to do about an event that cannot be delivered: hold, dead-letter (send it to "
        "delivery.dead-letter-topic instead) or stop"},
       [](Config& c) { return Set<ParseOnBadEvent>(c.delivery.on_bad_event); }},
      {{"delivery", "dead-letter-topic", "",
        "topic for events that theirs does not take; no event may go there by itself"},
       [](Config& c) { return Set<ParseText>(c.delivery.dead_letter_topic); }},
      {{"delivery", "on-statement", "alarm",
        "what to do when a statement-format change may have changed an event table, whose rows are "
        "not in the log then: alarm or stop"},
       [](Config& c) { return Set<ParseOnStatement>(c.delivery.on_statement); }},
      {{"delivery", "on-update", "ignore",
        "what to do about updated rows, upserts and REPLACE among them: ignore, publish (the row "
        "as "
        "it is then) or alarm"},
       [](Config& c) { return Set<ParseOnUpdate>(c.delivery.on_update); }},
      {{"delivery", "on-lost-transactions", "continue",
        "what to do when a failover lost transactions that were read already: continue (with an "
        "alarm that names their events) or stop"},
       [](Config& c) { return Set<ParseOnLostTransactions>(c.delivery.on_lost_transactions); }},
      {{"delivery", "in-flight-bytes-max", "32MiB",
        "most bytes on their way to the sink at a time"},
       [](Config& c) { return Set<ParseInFlightBytes>(c.delivery.in_flight_bytes_max); }},
      {{"delivery", "max-stall", "10m",
        "longest time that the server's log is kept open while nothing can be sent; then it can "
        "purge, and is read on later"},
       [](Config& c) { return Set<ParseDuration>(c.delivery.max_stall); }},
      {{"delivery", "max-rate", "0", "most events a second; 0: as fast as it goes"},
       [](Config& c) { return Set<ParseRate>(c.delivery.max_rate); }},

      {{"checkpoint", "store", "file", "file is the one of this version"},
       [](Config&) { return CheckOnly<ParseStore>(); }},
      {{"checkpoint", "interval", "1s", "longest time between two checkpoints while events flow"},
       [](Config& c) { return Set<ParseDuration>(c.checkpoint.interval); }},
      {{"checkpoint", "journal-bytes-max", "16MiB",
        "most bytes of the journal of published events, which names what a failover lost; 0: none "
        "is kept"},
       [](Config& c) { return Set<ParseJournalBytes>(c.checkpoint.journal_bytes_max); }},

      {{"log", "level", "info", "debug, info, warning or error"},
       [](Config& c) { return Set<ParseLevel>(c.log.level); }},
  };
  return keys;
}

}  // namespace

const std::vector<ConfigKey>& ConfigKeys() {
  static const std::vector<ConfigKey> shown = [] {
    std::vector<ConfigKey> all;
    for (const Key& key : Keys()) all.push_back(key.shown);
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

bool IsLaterSection(std::string_view section) {
  return section == "http" || section == "housekeeping";
}

bool IsLaterKey(std::string_view section, std::string_view key) {
  static constexpr std::pair<std::string_view, std::string_view> kLater[] = {
      {"relay", "on-halt"},
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
    const std::string shown_default =
        key.default_text.empty() ? "" : fmt::format("`{}`", key.default_text);
    rows.push_back(fmt::format("| `{}.{}` | {} | {}{} |", key.section, key.key, shown_default,
                               key.meaning, key.repeatable ? "; repeatable" : ""));
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
