#include "daemon/migration/debezium_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "binlog/any_case.h"
#include "binlog/table_filter.h"
#include "daemon/migration/connector_options.h"
#include "daemon/text/escaped.h"
#include "daemon/text/trimmed.h"

namespace outboxd {
namespace {

constexpr std::string_view kRouter = "io.debezium.transforms.outbox.EventRouter";
constexpr std::string_view kString = "org.apache.kafka.connect.storage.StringConverter";
constexpr std::string_view kJson = "org.apache.kafka.connect.json.JsonConverter";
// Converters that write the bytes of a binary column.
constexpr std::array<std::string_view, 3> kBytes = {
    "io.debezium.converters.BinaryDataConverter", "io.debezium.converters.ByteBufferConverter",
    "org.apache.kafka.connect.converters.ByteArrayConverter"};

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = Trimmed(text.substr(0, comma), " \t\n");
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

// A table pattern for a regular expression that is a plain name, or has '.*' for any characters.
std::optional<std::string> TablePattern(std::string_view regex) {
  std::string pattern;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    const char c = regex[i];
    const bool has_next = i + 1 < regex.size();
    if (c == '\\' && has_next && std::string_view(".$-_").contains(regex[i + 1])) {
      pattern += regex[++i];
    } else if (c == '.' && has_next && regex[i + 1] == '*') {
      pattern += '*';
      ++i;
    } else if (std::string_view("\\[](){}+*?|^$").contains(c)) {
      return std::nullopt;
    } else {
      pattern += c;
    }
  }
  if (std::ranges::count(pattern, '.') != 1) return std::nullopt;
  return pattern;
}

// The list may name a table twice, which outbox.table must not. A '*' covers another one too.
void AddUncovered(std::string pattern, std::vector<std::string>& patterns) {
  const bool is_covered = std::ranges::any_of(patterns, [&pattern](const std::string& other) {
    return binlog::FitsPattern(pattern, other);
  });
  if (is_covered) return;
  std::erase_if(patterns, [&pattern](const std::string& other) {
    return binlog::FitsPattern(other, pattern);
  });
  patterns.push_back(std::move(pattern));
}

std::string InBraces(std::string_view column) { return fmt::format("{{{}}}", column); }

// What stands in `topic` is text and placeholders.
std::string DoubledBraces(std::string_view text) {
  std::string doubled;
  for (const char c : text) {
    doubled += c;
    if (c == '{' || c == '}') doubled += c;
  }
  return doubled;
}

// "(?<name>.*)" and "(.*)" match every topic: the replacement is a template then. None: they differ
// or the replacement asks for more.
std::optional<std::string> TopicTemplate(std::string_view regex, std::string_view replacement,
                                         std::string_view column) {
  std::string reference = "$1";
  if (regex.starts_with("(?<") && regex.ends_with(">.*)")) {
    reference = fmt::format("${{{}}}", regex.substr(3, regex.size() - 7));
  } else if (regex != "(.*)") {
    return std::nullopt;
  }
  std::string topic;
  while (true) {
    const std::size_t at = replacement.find(reference);
    const std::string_view literal = replacement.substr(0, at);
    if (literal.find_first_of("$\\") != std::string_view::npos) return std::nullopt;
    topic += DoubledBraces(literal);
    if (at == std::string_view::npos) return topic;
    topic += InBraces(column);
    replacement.remove_prefix(at + reference.size());
  }
}

class Importer {
 public:
  Importer(const Properties& connector, const Properties& worker)
      : connector_(connector), worker_(worker) {}

  Result<ImportedConfig> Run() {
    const std::string connector_class = Take("connector.class");
    if (!connector_class.ends_with("MySqlConnector")) {
      return Fail(ExitCode::kConfiguration,
                  "connector.class is '{}' HINT: only Debezium's connector for MySQL, "
                  "io.debezium.connector.mysql.MySqlConnector, can be replaced",
                  Escaped(connector_class));
    }
    if (auto found = FindRouter(); !found) return std::unexpected(found.error());
    name_ = RelayName();
    AddMysql();
    AddOutbox();
    AddKafka();
    AddTopics();
    AddDelivery();
    JudgeTheRest(connector_, "");
    JudgeTheRest(worker_, "of the worker, ");
    const std::string text = Text();
    return ImportedConfig{text, std::move(notes_), std::move(missing_)};
  }

 private:
  struct Section {
    std::string name;
    std::vector<std::string> lines;
  };

  // ------------------------------------------------------------------------ options and lines

  std::optional<std::string> Find(std::string_view option) {
    const auto found = connector_.find(option);
    if (found == connector_.end()) return std::nullopt;
    taken_.insert(found->first);
    return found->second;
  }
  std::string Take(std::string_view option, std::string_view absent = "") {
    return Find(option).value_or(std::string(absent));
  }
  // The router's, or one that the worker gives to all connectors.
  std::string TakeRouter(std::string_view option, std::string_view absent = "") {
    return Take(fmt::format("{}{}", router_, option), absent);
  }
  std::string TakeShared(std::string_view option, std::string_view absent = "") {
    if (auto own = Find(option)) return *own;
    const auto found = worker_.find(option);
    if (found == worker_.end()) return std::string(absent);
    taken_.insert(found->first);
    return found->second;
  }

  void Begin(std::string name) { sections_.push_back({std::move(name), {}}); }
  // A line feed in a value would begin another line, and " #" a comment.
  void Line(std::string_view key, std::string_view value) {
    if (value.find_first_of("\r\n") != std::string_view::npos || value.contains(" #")) {
      Note(
          fmt::format("{}: its value holds a line feed or ' #', which this file cannot hold", key));
      return;
    }
    sections_.back().lines.push_back(fmt::format("{} = {}", key, value));
  }
  void Comment(std::string_view text) {
    sections_.back().lines.push_back(fmt::format("# {}", text));
  }
  void Note(std::string text) { notes_.push_back(std::move(text)); }
  void Missing(std::string text) {
    missing_.push_back(text);
    Note(std::move(text));
  }

  // -------------------------------------------------------------------------------- the parts

  Result<void> FindRouter() {
    for (const std::string& transform : SplitList(Take("transforms"))) {
      const std::string prefix = fmt::format("transforms.{}.", transform);
      const auto type = connector_.find(prefix + "type");
      const std::string text = type == connector_.end() ? "" : type->second;
      if (text == kRouter && router_.empty()) {
        router_ = prefix;
        continue;
      }
      for (const auto& [option, value] : connector_) {
        if (option.starts_with(prefix)) taken_.insert(option);
      }
      Note(
          fmt::format("transform '{}' ({}) has no equivalent: see that what it does to messages is "
                      "not needed, or say it in [outbox]",
                      Escaped(transform), Escaped(text)));
    }
    if (!router_.empty()) return {};
    return Fail(ExitCode::kConfiguration,
                "no transform is of type {} HINT: outboxd publishes event tables; other tables are "
                "left to Debezium",
                kRouter);
  }

  std::string RelayName() {
    std::string name = Take("name", Take("topic.prefix", "outbox"));
    (void)Take("topic.prefix");
    (void)Take("database.server.name");
    for (char& c : name) {
      const bool is_fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
      if (!is_fit) c = '-';
    }
    return name.empty() ? "outbox" : name;
  }

  void AddMysql() {
    Begin("relay");
    Line("name", name_);
    Begin("mysql");
    if (const auto host = Find("database.hostname"); host && !host->empty()) {
      Line("host", *host);
    } else {
      Comment("host = HOST");
      Missing("mysql.host has to be set: the connector has no database.hostname");
    }
    if (const auto port = Find("database.port")) Line("port", *port);
    if (const auto user = Find("database.user"); user && !user->empty()) {
      Line("user", *user);
    } else {
      Comment("user = USER");
      Missing("mysql.user has to be set: the connector has no database.user");
    }
    if (Find("database.password")) {
      const std::string file = fmt::format("/etc/outboxd/{}.password", name_);
      Line("password-file", file);
      Note(
          fmt::format("database.password is not carried over: write the password into {}, "
                      "readable by the relay's account only",
                      file));
    }
    if (const auto id = Find("database.server.id")) {
      Line("server-id", *id);
      Note(
          "mysql.server-id is the connector's: take it away while both run side by side, as the "
          "server ends a replica when another with its number comes");
    }
    AddTls();
  }

  void AddTls() {
    const std::string mode = Take("database.ssl.mode", "preferred");
    const auto truststore = Find("database.ssl.truststore");
    if (mode == "disabled") {
      Line("tls", "disabled");
    } else if (mode == "verify_ca" || mode == "verify_identity") {
      Line("tls", mode == "verify_ca" ? "verify-ca" : "verify-identity");
      const std::string file = fmt::format("/etc/outboxd/{}-ca.pem", name_);
      Line("tls-ca", file);
      Note(
          fmt::format("{} is a Java key store: export its certificates as PEM to {} (keytool "
                      "-exportcert -rfc)",
                      truststore ? Escaped(*truststore) : "Java's default trust store", file));
    } else {
      Line("tls", "required");
      if (mode == "preferred") {
        Note(
            "database.ssl.mode = preferred falls back to no encryption; mysql.tls = required does "
            "not: say disabled for a server without TLS");
      }
    }
  }

  void AddOutbox() {
    Begin("outbox");
    AddTables();
    Line("preset", "debezium");
    Line("json", "debezium");
    const std::string id = TakeRouter("table.field.event.id", "id");
    if (id != "id") Line("id", id);
    AddKeyAndValue();
    AddTopic();
    if (const std::string column = TakeRouter("table.field.event.timestamp"); !column.empty()) {
      Line("timestamp", column);
    } else {
      Note(
          "without table.field.event.timestamp Debezium stamps a message with the time when it "
          "read the row, outboxd with the time of sending");
    }
  }

  void AddTables() {
    const std::vector<std::string> regexes = SplitList(Take("table.include.list"));
    std::vector<std::string> patterns;
    for (const std::string& regex : regexes) {
      if (auto pattern = TablePattern(regex)) {
        AddUncovered(std::move(*pattern), patterns);
      } else {
        Note(
            fmt::format("table.include.list: '{}' cannot be told as a pattern of outbox.table, "
                        "where * and ? are all there is: name the event tables",
                        Escaped(regex)));
      }
    }
    for (const std::string& pattern : patterns) Line("table", pattern);
    if (!patterns.empty()) return;
    Comment("table = DATABASE.TABLE");
    Note("outbox.table has to be set: the connector's options do not name the event table");
  }

  void AddKeyAndValue() {
    const std::string key = TakeRouter("table.field.event.key", "aggregateid");
    const std::string payload = TakeRouter("table.field.event.payload", "payload");
    if (IsJsonText("key")) {
      // Of a NULL JsonConverter makes the four bytes.
      Line("key", fmt::format("quote({}) | 'null'", key));
    } else if (key != "aggregateid") {
      Line("key", key);
    }
    AddValue(payload);
  }

  void AddValue(const std::string& payload) {
    const std::string expansion = Expansion();
    const bool blank_is_tombstone = TakeRouter("route.tombstone.on.empty.payload") == "true";
    const std::vector<std::string> members = AddPlacements();
    const bool is_json = IsJsonText("value");
    if (!members.empty()) {
      Line("member",
           fmt::format("{}({}):payload", expansion.empty() ? "string" : expansion, payload));
      for (const std::string& member : members) Line("member", member);
      if (!is_json) {
        Note(
            "an envelope needs a JsonConverter; what another converter makes of it is not written");
      }
    } else if (is_json) {
      // The same, but for a NULL that becomes a tombstone.
      Line("payload", fmt::format("{}({}){}", expansion.empty() ? "quote" : expansion, payload,
                                  blank_is_tombstone ? "" : " | 'null'"));
    } else if (!expansion.empty()) {
      Note(
          "table.expand.json.payload: the payload is written as the column has it; what a "
          "converter other than JsonConverter makes of an expanded one (StringConverter: "
          "Struct{...}) is not written");
    }
    // With members it tells which payloads are blank.
    const bool is_read = members.empty() ? !is_json : blank_is_tombstone;
    if (is_read && payload != "payload") Line("payload", payload);
    if (blank_is_tombstone) Line("blank-is-tombstone", "yes");
  }

  // The function that expands a payload as the router does; empty: it does not.
  std::string Expansion() {
    if (TakeRouter("table.expand.json.payload") != "true") return "";
    const bool keeps_nulls =
        binlog::EqualInAnyCase(TakeRouter("table.json.payload.null.behavior"), "optional_bytes");
    const bool keeps_empty_arrays = binlog::EqualInAnyCase(
        TakeRouter("table.json.payload.empty.array.behavior"), "optional_string");
    if (keeps_nulls) return keeps_empty_arrays ? "expand-all" : "expand-nulls";
    return keeps_empty_arrays ? "expand-arrays" : "expand";
  }

  // Whether `what`.converter writes JSON without schemas. Notes what no mapping can do.
  bool IsJsonText(std::string_view what) {
    const std::string option = fmt::format("{}.converter", what);
    const std::string converter = TakeShared(option, kString);
    const std::string has_schemas = TakeShared(option + ".schemas.enable", "true");
    (void)TakeShared(option + ".delegate.converter.type");
    (void)TakeShared(option + ".delegate.converter.type.schemas.enable");
    if (converter == kJson) {
      if (has_schemas == "true") {
        Note(
            fmt::format("{} = JsonConverter with schemas.enable = true wraps the {} into a schema; "
                        "outboxd writes it without",
                        option, what));
      }
      return true;
    }
    if (converter != kString && std::ranges::find(kBytes, converter) == kBytes.end()) {
      Note(fmt::format("{} = {} has no equivalent: the {} is written as the column has it", option,
                       Escaped(converter), what));
    }
    return false;
  }

  // Adds headers and the partition; returns the envelope's members.
  std::vector<std::string> AddPlacements() {
    std::vector<std::string> members;
    for (const std::string& placement :
         SplitList(TakeRouter("table.fields.additional.placement"))) {
      const std::size_t first = placement.find(':');
      const std::string column = placement.substr(0, first);
      const std::string rest = first == std::string::npos ? "" : placement.substr(first + 1);
      const std::size_t second = rest.find(':');
      const std::string kind = rest.substr(0, second);
      const std::string alias = second == std::string::npos ? column : rest.substr(second + 1);
      if (kind == "header") {
        Line("header", fmt::format("{}:{}", column, alias));
      } else if (kind == "partition") {
        Line("partition", column);
      } else if (kind == "envelope") {
        members.push_back(fmt::format("{}:{}", column, alias));
      } else {
        Note(fmt::format("table.fields.additional.placement: '{}' is no placement",
                         Escaped(placement)));
      }
    }
    return members;
  }

  void AddTopic() {
    const std::string column = TakeRouter("route.by.field", "aggregatetype");
    const std::string regex = TakeRouter("route.topic.regex", "(?<routedByValue>.*)");
    const std::string replacement =
        TakeRouter("route.topic.replacement", "outbox.event.${routedByValue}");
    if (const auto topic = TopicTemplate(regex, replacement, column)) {
      Line("topic", *topic);
      return;
    }
    Line("topic", InBraces(column));
    Line("topic-regex", regex);
    Line("topic-replacement", replacement);
  }

  void AddKafka() {
    Begin("kafka");
    const std::string history = Take("schema.history.internal.kafka.bootstrap.servers",
                                     Take("database.history.kafka.bootstrap.servers"));
    const std::string servers = TakeShared("bootstrap.servers", history);
    const std::string own = Take("producer.override.bootstrap.servers", servers);
    if (own.empty()) {
      Comment("bootstrap.servers = HOST:9092");
      Missing(
          "kafka.bootstrap.servers has to be set: it stands in the properties of the Connect "
          "worker, which can be given as a further file");
    } else {
      Line("bootstrap.servers", own);
      if (own == history && !worker_.contains("bootstrap.servers")) {
        Note(
            "kafka.bootstrap.servers was taken from the schema history's; see that messages go to "
            "the same cluster");
      }
    }
    for (const auto& [option, value] : connector_)
      AddProducerOption(option, value, "producer.override.");
    for (const auto& [option, value] : worker_) AddProducerOption(option, value, "producer.");
  }

  void AddProducerOption(const std::string& option, const std::string& value,
                         std::string_view prefix) {
    if (!option.starts_with(prefix) || taken_.contains(option)) return;
    taken_.insert(option);
    const std::string_view name = std::string_view(option).substr(prefix.size());
    // By the same name, and with the same meaning, in librdkafka.
    constexpr std::string_view kSame[] = {"batch.size",
                                          "client.id",
                                          "client.dns.lookup",
                                          "compression.type",
                                          "linger.ms",
                                          "metadata.max.age.ms",
                                          "sasl.mechanism",
                                          "security.protocol",
                                          "socket.connection.setup.timeout.ms",
                                          "retry.backoff.ms",
                                          "reconnect.backoff.ms",
                                          "reconnect.backoff.max.ms",
                                          "request.timeout.ms",
                                          "sasl.kerberos.service.name"};
    if (std::ranges::find(kSame, name) != std::end(kSame)) {
      Line(name, value);
    } else if (name == "max.request.size") {
      Line("message.max.bytes", value);
    } else if (name.starts_with("ssl.") || name.starts_with("sasl.")) {
      Note(
          fmt::format("{} is not carried over: librdkafka has PEM files (ssl.ca.location, "
                      "ssl.certificate.location, ssl.key.location), sasl.username and "
                      "sasl.password-file instead",
                      option));
    } else {
      Note(
          fmt::format("{} is not carried over: outboxd chooses what order and safety need, and the "
                      "rest is named otherwise in librdkafka",
                      option));
    }
  }

  void AddTopics() {
    const auto partitions = Find("topic.creation.default.partitions");
    const auto replication = Find("topic.creation.default.replication.factor");
    if (!partitions && !replication) return;
    Begin("topics");
    Line("create", "yes");
    if (partitions.value_or("-1") != "-1") Line("partitions", *partitions);
    if (replication.value_or("-1") != "-1") Line("replication", *replication);
    if (partitions.value_or("-1") == "-1" || replication.value_or("-1") == "-1") {
      Note(
          "topic.creation.default: the broker's defaults are not known here; see "
          "topics.partitions and topics.replication");
    }
  }

  void AddDelivery() {
    Begin("delivery");
    const std::string mode = Take("snapshot.mode", "initial");
    const bool reads_log_only = mode == "no_data" || mode == "schema_only" || mode == "never" ||
                                mode == "recovery" || mode == "schema_only_recovery";
    Comment("Without a checkpoint only: 'outboxd position import' takes over where Debezium is.");
    Line("start", reads_log_only ? "now" : "table");
    if (mode == "initial_only") {
      Note("snapshot.mode = initial_only ends after the snapshot; outboxd goes on with the log");
    }
    if (TakeRouter("table.op.invalid.behavior", "warn") == "fatal") {
      Line("on-update", "alarm");
      Note(
          "table.op.invalid.behavior = fatal ends the task at an update; on-update = alarm goes on "
          "and keeps an alarm");
    } else {
      Line("on-update", "ignore");
    }
  }

  // ------------------------------------------------------------------------------ what is left

  void JudgeTheRest(const Properties& options, std::string_view whose) {
    for (const auto& [option, value] : options) {
      if (taken_.contains(option)) continue;
      const bool is_routers = option.starts_with(router_);
      const std::string name =
          is_routers ? "outbox:" + option.substr(router_.size()) : std::string(option);
      const KnownOption* known = FindConnectorOption(name);
      if (known == nullptr) {
        Note(fmt::format("{}{}: unknown here, not carried over", whose, Escaped(option)));
      } else if (known->fate == OptionFate::kDifferent && value != known->harmless) {
        Note(fmt::format("{}{}: {}", whose, option, known->what));
      } else {
        unneeded_.push_back(fmt::format("{}{}: {}", whose, option, known->what));
      }
    }
  }

  std::string Text() const {
    std::string text;
    if (!notes_.empty()) text += "# To do, and to know:\n";
    for (const std::string& note : notes_) text += fmt::format("# - {}\n", note);
    for (const Section& section : sections_) {
      if (!text.empty()) text += '\n';
      text += fmt::format("[{}]\n", section.name);
      for (const std::string& line : section.lines) text += line + '\n';
    }
    if (!unneeded_.empty()) text += "\n# Options that are needed no more:\n";
    for (const std::string& option : unneeded_) text += fmt::format("# - {}\n", option);
    return text;
  }

  const Properties& connector_;
  const Properties& worker_;
  std::set<std::string, std::less<>> taken_;
  std::string router_;  // "transforms.NAME."
  std::string name_;
  std::vector<Section> sections_;
  std::vector<std::string> notes_;
  std::vector<std::string> missing_;
  std::vector<std::string> unneeded_;
};

}  // namespace

Result<ImportedConfig> ImportDebeziumConfig(const Properties& connector, const Properties& worker) {
  return Importer(connector, worker).Run();
}

}  // namespace outboxd
