#include "daemon/migration/router_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/escaped.h"
#include "binlog/any_case.h"
#include "daemon/migration/included_tables.h"

namespace outboxd {
namespace {

constexpr std::string_view kString = "org.apache.kafka.connect.storage.StringConverter";
constexpr std::string_view kJson = "org.apache.kafka.connect.json.JsonConverter";
// Converters that write the bytes of a binary column.
constexpr std::array<std::string_view, 3> kBytes = {
    "io.debezium.converters.BinaryDataConverter", "io.debezium.converters.ByteBufferConverter",
    "org.apache.kafka.connect.converters.ByteArrayConverter"};

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

// As Java has it.
bool IsGroupNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// "(?<name>.*)" and "(.*)" match every topic: the replacement is a template then. None: they differ
// or the replacement asks for more.
std::optional<std::string> TopicTemplate(std::string_view regex, std::string_view replacement,
                                         std::string_view column) {
  std::string reference = "$1";
  if (regex != "(.*)") {
    if (!regex.starts_with("(?<") || !regex.ends_with(">.*)")) return std::nullopt;
    const std::string_view name = regex.substr(3, regex.size() - 7);
    if (!std::ranges::all_of(name, IsGroupNameCharacter)) return std::nullopt;
    reference = fmt::format("${{{}}}", name);
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

class RouterConfig {
 public:
  RouterConfig(const std::string& router, TakenOptions& options, ConfigDraft& draft)
      : router_(router), options_(options), draft_(draft) {}

  void Add() {
    draft_.Begin("outbox");
    AddTables();
    draft_.Set("preset", "debezium");
    draft_.Set("json", "debezium");
    const std::string id = TakeRouter("table.field.event.id", "id");
    if (id != "id") draft_.Set("id", id);
    AddKeyAndValue();
    AddTopic();
    AddTraceContext();
    if (const std::string column = TakeRouter("table.field.event.timestamp"); !column.empty()) {
      draft_.Set("timestamp", column);
    } else {
      draft_.Note(
          "without table.field.event.timestamp Debezium stamps a message with the time when it "
          "read the row, outboxd with the time of sending");
    }
  }

 private:
  std::string TakeRouter(std::string_view option, std::string_view absent = "") {
    return options_.Take(router_ + std::string(option), absent);
  }

  void AddTables() {
    const IncludedTables tables = ReadIncludedTables(options_.TakeList("table.include.list"));
    for (const std::string& regex : tables.untold) {
      draft_.Note(
          fmt::format("table.include.list: '{}' cannot be told as a pattern of outbox.table, "
                      "where * and ? are all there is: name the event tables",
                      Escaped(regex)));
    }
    for (const std::string& pattern : tables.patterns) draft_.Set("table", pattern);
    if (!tables.patterns.empty()) return;
    draft_.Comment("table = DATABASE.TABLE");
    draft_.Note("outbox.table has to be set: the connector's options do not name the event table");
  }

  void AddKeyAndValue() {
    const std::string key = TakeRouter("table.field.event.key", "aggregateid");
    const std::string payload = TakeRouter("table.field.event.payload", "payload");
    if (IsJsonText("key")) {
      // Of a NULL JsonConverter makes the four bytes.
      draft_.Set("key", fmt::format("quote({}) | 'null'", key));
    } else if (key != "aggregateid") {
      draft_.Set("key", key);
    }
    AddValue(payload);
  }

  void AddValue(const std::string& payload) {
    const std::string expansion = Expansion();
    const bool blank_is_tombstone = TakeRouter("route.tombstone.on.empty.payload") == "true";
    const std::vector<std::string> members = AddPlacements();
    const bool is_json = IsJsonText("value");
    if (!members.empty()) {
      draft_.Set("member",
                 fmt::format("{}({}):payload", expansion.empty() ? "string" : expansion, payload));
      for (const std::string& member : members) draft_.Set("member", member);
      if (!is_json) {
        draft_.Note(
            "an envelope needs a JsonConverter; what another converter makes of it is not written");
      }
    } else if (is_json) {
      // The same, but for a NULL that becomes a tombstone.
      draft_.Set("payload", fmt::format("{}({}){}", expansion.empty() ? "quote" : expansion,
                                        payload, blank_is_tombstone ? "" : " | 'null'"));
    } else if (!expansion.empty()) {
      draft_.Note(
          "table.expand.json.payload: the payload is written as the column has it; what a "
          "converter other than JsonConverter makes of an expanded one (StringConverter: "
          "Struct{...}) is not written");
    }
    // With members it tells which payloads are blank.
    const bool is_read = members.empty() ? !is_json : blank_is_tombstone;
    if (is_read && payload != "payload") draft_.Set("payload", payload);
    if (blank_is_tombstone) draft_.Set("blank-is-tombstone", "yes");
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
    const std::string converter = options_.TakeShared(option, kString);
    const std::string has_schemas = options_.TakeShared(option + ".schemas.enable", "true");
    (void)options_.TakeShared(option + ".delegate.converter.type");
    (void)options_.TakeShared(option + ".delegate.converter.type.schemas.enable");
    if (converter == kJson) {
      if (has_schemas == "true") {
        draft_.Note(
            fmt::format("{} = JsonConverter with schemas.enable = true wraps the {} into a schema; "
                        "outboxd writes it without",
                        option, what));
      }
      return true;
    }
    if (converter != kString && std::ranges::find(kBytes, converter) == kBytes.end()) {
      draft_.Note(fmt::format("{} = {} has no equivalent: the {} is written as the column has it",
                              option, Escaped(converter), what));
    }
    return false;
  }

  // Adds headers and the partition; returns the envelope's members.
  std::vector<std::string> AddPlacements() {
    std::vector<std::string> members;
    for (const std::string& placement :
         options_.TakeList(router_ + "table.fields.additional.placement")) {
      const std::size_t first = placement.find(':');
      const std::string column = placement.substr(0, first);
      const std::string rest = first == std::string::npos ? "" : placement.substr(first + 1);
      const std::size_t second = rest.find(':');
      const std::string kind = rest.substr(0, second);
      const std::string alias = second == std::string::npos ? column : rest.substr(second + 1);
      if (kind == "header") {
        draft_.Set("header", fmt::format("{}:{}", column, alias));
      } else if (kind == "partition") {
        draft_.Set("partition", column);
      } else if (kind == "envelope") {
        members.push_back(fmt::format("{}:{}", column, alias));
      } else {
        draft_.Note(fmt::format("table.fields.additional.placement: '{}' is no placement",
                                Escaped(placement)));
      }
    }
    return members;
  }

  // A connector makes spans where OpenTelemetry's library is on its path; the option alone says
  // that the column is there.
  void AddTraceContext() {
    const std::string column = TakeRouter("tracing.span.context.field");
    // Where it is not named, the table need not have the column of Debezium's default.
    const std::string from = column.empty() ? "tracingspancontext" : column;
    if (column.empty()) draft_.Comment("If the table has the column tracingspancontext:");
    for (const char* name : {"traceparent", "tracestate"}) {
      const auto header = fmt::format("properties({0})->$.{1}:{1}?", from, name);
      if (column.empty()) {
        draft_.Comment("header = " + header);
      } else {
        draft_.Set("header", header);
      }
    }
    if (column.empty()) return;
    draft_.Note(
        "tracing.span.context.field: a message carries the trace context of its row; where "
        "OpenTelemetry's library is on its path, Debezium makes a span of its own, and the message "
        "carries that one");
  }

  void AddTopic() {
    const std::string column = TakeRouter("route.by.field", "aggregatetype");
    const std::string regex = TakeRouter("route.topic.regex", "(?<routedByValue>.*)");
    const std::string replacement =
        TakeRouter("route.topic.replacement", "outbox.event.${routedByValue}");
    if (const auto topic = TopicTemplate(regex, replacement, column)) {
      draft_.Set("topic", *topic);
      return;
    }
    draft_.Set("topic", InBraces(column));
    draft_.Set("topic-regex", regex);
    draft_.Set("topic-replacement", replacement);
  }

  const std::string& router_;
  TakenOptions& options_;
  ConfigDraft& draft_;
};

}  // namespace

void AddRouterConfig(const std::string& router, TakenOptions& options, ConfigDraft& draft) {
  RouterConfig(router, options, draft).Add();
}

}  // namespace outboxd
