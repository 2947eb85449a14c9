#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/event_source.h"
#include "binlog/mysql_connection.h"
#include "binlog/position.h"

struct MYSQL_RPL;  // NOLINT(readability-identifier-naming): the library's name, from <mysql.h>.

namespace outboxd::binlog {

// A connection for the dump of a server's log: what is asked before, the request, and the binlog
// events that follow it. Once it was started it serves nothing else. Reader thread only.
class MysqlDump {
 public:
  struct Options {
    std::uint32_t server_id = 0;
    std::string replica_uuid;
    std::chrono::milliseconds heartbeat{};
    // How long the server may take to begin to send: it may search many files by GTID.
    std::chrono::milliseconds first_event_deadline{};
  };

  MysqlDump(MysqlConnection connection, Options options);
  ~MysqlDump();
  MysqlDump(const MysqlDump&) = delete;
  MysqlDump& operator=(const MysqlDump&) = delete;

  // Tells the server what the dump wants, and asks what it is. `by_gtid` of the result: whether it
  // can. kUnsuitable: it has no log.
  [[nodiscard]] Result<StreamIdentity> Prepare();
  // Asks for the log behind `from`. Once.
  [[nodiscard]] Result<void> Start(const Position& from, bool by_gtid);
  // The next binlog event, valid until the next call. kDisconnected: the server ended the dump, or
  // did not begin in time.
  [[nodiscard]] Result<Bytes> Fetch();

  // To ask the server for other things, before the start.
  [[nodiscard]] MysqlConnection& connection() { return connection_; }
  // Whether an event has come.
  [[nodiscard]] bool has_answered() const { return has_answered_; }

 private:
  // Constant after construction.
  const Options options_;

  MysqlConnection connection_;
  const std::unique_ptr<MYSQL_RPL> rpl_;
  std::string file_, encoded_gtids_;  // That rpl_ points into.
  bool is_open_ = false;
  bool has_answered_ = false;
};

}  // namespace outboxd::binlog
