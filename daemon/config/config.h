#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace outboxd {

// The validated configuration of one relay: what the INI file and the command line say, with
// defaults filled in. The table in README.md ("Configuration") documents every key. Plain values,
// constant after reading.

struct RelayConfig {
  std::string name;
  std::string state_directory;  // Default: /var/lib/outboxd/NAME.
  std::string spill_directory;  // Default: the state directory.
  std::uint64_t spill_bytes_max = 16ull << 30;
  std::chrono::milliseconds stop_timeout{30'000};
};

enum class TlsChoice { kDefault, kDisabled, kRequired, kVerifyCa, kVerifyIdentity };

struct MysqlConfig {
  std::vector<std::string> hosts{"127.0.0.1"};  // Tried in order; "host" or "host:port".
  std::uint16_t port = 3306;
  std::string socket;
  std::string user = "outboxd";
  std::string password_file;
  TlsChoice tls = TlsChoice::kDefault;  // Default: by design: none on a Unix socket, required on
                                        // loopback, verify-identity elsewhere.
  std::string tls_ca, tls_cert, tls_key;
  std::optional<std::uint32_t> server_id;  // Default: derived from the relay's name.
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds first_event_timeout{600'000};
  std::chrono::milliseconds lag_timeout{60'000};
};

// A header, or a member of a JSON object.
struct NamedValueConfig {
  std::string value;  // In the mapping language.
  std::string name;
  bool is_optional = false;  // Left out where the value is NULL.
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
};

struct SinkConfig {
  enum class Type { kKafka, kStdout };
  Type type = Type::kKafka;
};

struct TopicsConfig {
  bool create = false;
  std::int32_t partitions = 3;
  std::int16_t replication = 3;
  std::vector<std::string> allow;  // Patterns with '*' and '?'; empty: all but the forbidden.
};

// How `start` may name the initial position.
struct StartChoice {
  enum class Kind { kNone, kTable, kEarliest, kNow, kGtid, kFile };
  Kind kind = Kind::kNone;
  std::string gtids;         // kGtid
  std::string file;          // kFile
  std::uint64_t offset = 0;  // kFile
};

struct DeliveryConfig {
  StartChoice start = {};
  enum class OnBadEvent { kHold, kDeadLetter, kStop };
  OnBadEvent on_bad_event = OnBadEvent::kHold;
  std::string dead_letter_topic = {};  // Set where on_bad_event needs it.
  enum class OnStatement { kAlarm, kStop };
  OnStatement on_statement = OnStatement::kAlarm;
  enum class OnUpdate { kIgnore, kPublish, kAlarm };
  OnUpdate on_update = OnUpdate::kIgnore;
  enum class OnLostTransactions { kContinue, kStop };
  OnLostTransactions on_lost_transactions = OnLostTransactions::kContinue;
  // Of rows that a foreign key's cascade deletes or changes without the log's telling it, while the
  // event tables are read.
  enum class UnloggedDeletes { kRefuse, kAccept };
  UnloggedDeletes unlogged_deletes = UnloggedDeletes::kRefuse;
  std::uint64_t in_flight_bytes_max = 32ull << 20;
  std::chrono::milliseconds max_stall{600'000};
  std::uint64_t max_rate = 0;  // Events a second; 0: no limit.
};

struct CheckpointConfig {
  std::chrono::milliseconds interval{1000};
  std::uint64_t journal_bytes_max = 16ull << 20;  // 0: no journal is kept.
};

struct LogConfig {
  enum class Level { kDebug, kInfo, kWarning, kError };
  Level level = Level::kInfo;
};

struct Config {
  std::string path;  // Of the file it was read from; empty: command line only.
  RelayConfig relay;
  MysqlConfig mysql;
  std::vector<OutboxConfig> outboxes;
  SinkConfig sink;
  std::vector<std::pair<std::string, std::string>> kafka;  // librdkafka's properties as given.
  TopicsConfig topics;
  DeliveryConfig delivery;
  CheckpointConfig checkpoint;
  LogConfig log;
};

}  // namespace outboxd
