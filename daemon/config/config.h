#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/sink_families.h"
#include "daemon/mapping/outbox_config.h"

namespace outboxd::binlog {
class RenewableLogIn;
}

namespace outboxd {

// The validated configuration of one relay: what the INI file and the command line say, with
// defaults filled in. daemon/config/config_keys.cc lists every key. Plain values, constant after
// reading.

struct RelayConfig {
  std::string name;
  std::string state_directory;  // Default: /var/lib/outboxd/NAME.
  std::string spill_directory;  // Default: the state directory.
  std::uint64_t spill_bytes_max = 16ull << 30;
  std::chrono::milliseconds stop_timeout{30'000};
  // Of a run that fails.
  enum class OnHalt { kExit, kPark };
  OnHalt on_halt = OnHalt::kExit;

  bool operator==(const RelayConfig&) const = default;
};

enum class TlsChoice { kDefault, kDisabled, kRequired, kVerifyCa, kVerifyIdentity };

struct MysqlConfig {
  std::vector<std::string> hosts{"127.0.0.1"};  // Tried in order; "host" or "host:port".
  std::uint16_t port = 3306;
  std::string socket;
  std::string user = "outboxd";
  std::string password_file;
  std::vector<std::string> password_command;  // Instead: a program and its arguments.
  TlsChoice tls = TlsChoice::kDefault;  // Default: by design: none on a Unix socket, required on
                                        // loopback, verify-identity elsewhere.
  std::string tls_ca, tls_cert, tls_key;
  // Which servers are read.
  enum class Require { kAny, kWritable };
  Require require = Require::kAny;
  std::optional<std::uint32_t> server_id;  // Default: derived from the relay's name.
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds first_event_timeout{600'000};
  std::chrono::milliseconds lag_timeout{60'000};
  // The largest event that is taken into memory. Not a key: it follows from the memory that the
  // process may have (daemon/preparation/memory_need.h).
  std::uint64_t event_bytes_max = std::uint64_t{1} << 30;
  // What a reload changes of all log-ins (daemon/process/reload.h). Not a key; null: nothing does.
  std::shared_ptr<binlog::RenewableLogIn> renewable_log_in = nullptr;

  bool operator==(const MysqlConfig&) const = default;
};

struct SinkConfig {
  const sinks::SinkFamily* family = SinkFamilies().front();  // Never null.
  std::vector<sinks::Setting> settings = {};  // Of all families, in the order in which they stand.

  bool operator==(const SinkConfig&) const = default;
};

struct TopicsConfig {
  std::vector<std::string> allow;  // Patterns with '*' and '?'; empty: all but the forbidden.

  bool operator==(const TopicsConfig&) const = default;
};

// How `start` may name the initial position.
struct StartChoice {
  enum class Kind { kNone, kTable, kEarliest, kNow, kGtid, kFile };
  Kind kind = Kind::kNone;
  std::string gtids;         // kGtid
  std::string file;          // kFile
  std::uint64_t offset = 0;  // kFile

  bool operator==(const StartChoice&) const = default;
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

  bool operator==(const DeliveryConfig&) const = default;
};

struct CheckpointConfig {
  std::chrono::milliseconds interval{1000};
  std::uint64_t journal_bytes_max = 16ull << 20;  // 0: no journal is kept.

  bool operator==(const CheckpointConfig&) const = default;
};

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

struct HttpConfig {
  ListenAddress listen;  // Without a host: only the Unix socket.
  bool debezium_metrics = false;

  bool operator==(const HttpConfig&) const = default;
};

// Of the settings that decide what is published, and how. Configurations are equal or not by the
// settings themselves.
struct RulesHash {
  std::uint64_t value = 0;

  bool operator==(const RulesHash&) const { return true; }
};

struct LogConfig {
  enum class Level { kDebug, kInfo, kWarning, kError };
  Level level = Level::kInfo;
  enum class Format { kText, kJson };
  Format format = Format::kText;

  bool operator==(const LogConfig&) const = default;
};

struct Config {
  std::string path;  // Of the file it was read from; empty: command line only.
  RelayConfig relay;
  MysqlConfig mysql;
  std::vector<OutboxConfig> outboxes;
  SinkConfig sink;
  TopicsConfig topics;
  DeliveryConfig delivery;
  CheckpointConfig checkpoint;
  HttpConfig http;
  LogConfig log;
  RulesHash rules_hash;

  bool operator==(const Config&) const = default;
};

}  // namespace outboxd
