#pragma once

#include <optional>
#include <string>
#include <vector>

namespace outboxd {

// What makes rows to messages, as the configuration has it.

// A header, or a member of a JSON object.
struct NamedValueConfig {
  std::string value;  // In the mapping language.
  std::string name;
  bool is_optional = false;  // Left out where the value is NULL.

  bool operator==(const NamedValueConfig&) const = default;
};

// A column of a log without names; and its sign or character set, of a log of before MySQL 8.0.
struct DeclaredColumn {
  std::string name;
  std::string kind;  // See binlog::IsColumnKind(); empty: as the table has it today.

  bool operator==(const DeclaredColumn&) const = default;
};

// The value of a column that a row was inserted without (binlog_row_image = MINIMAL).
struct ColumnDefaultConfig {
  std::string column;
  std::optional<std::string> value;  // None: NULL.

  bool operator==(const ColumnDefaultConfig&) const = default;
};

// One family of event tables: [outbox] or [outbox.NAME].
struct OutboxConfig {
  std::string section;              // "outbox" or "outbox.NAME", for messages.
  std::vector<std::string> tables;  // "schema.table", '*' and '?' allowed in both parts.
  std::string preset = "debezium";
  // The parts of the message in the mapping language (daemon/mapping/expression.h), here as the
  // preset `debezium` has them.
  std::string id = "id";
  std::string key = "aggregateid";  // Empty: messages without key.
  std::string payload = "payload";
  std::string timestamp, partition;  // Empty: not used.
  std::string topic = "outbox.event.{aggregatetype}";
  std::string topic_regex, topic_replacement;  // Empty: the topic is as it is.
  std::vector<NamedValueConfig> headers;
  std::string header_object;              // Empty: not used.
  std::vector<NamedValueConfig> members;  // Any: the value is a JSON object of them.
  bool blank_is_tombstone = false;        // A blank payload is none, whatever the members.
  std::string each;  // A JSON array, each element of which is an event; empty: the row is one.
  // Which rows are events: conditions (daemon/mapping/condition.h), all of which have to hold.
  std::vector<std::string> where;
  std::vector<std::string> update_where;  // Any: updates are events too where all of them hold.
  std::vector<DeclaredColumn> columns;    // In order, for binlog_row_metadata=MINIMAL.
  std::vector<ColumnDefaultConfig> defaults;
  enum class Json { kMysql, kDebezium };
  Json json = Json::kMysql;     // How JSON columns print.
  bool table_header = true;     // outboxd.table
  bool position_header = true;  // outboxd.position

  bool operator==(const OutboxConfig&) const = default;
};

}  // namespace outboxd
