#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "binlog/error.h"

namespace outboxd::binlog {

class MysqlConnection;

// What a relay's connection for the log says of itself, as attributes of the connection
// (performance_schema.session_connect_attrs), for other relays and for people to see. The server
// keeps 512 bytes of all attributes of a connection unless it is configured otherwise.
struct RelayAttributes {
  std::string relay;            // Its name.
  std::uint32_t server_id = 0;  // Under which it registers.
  std::string tables;           // Patterns, separated by commas; cut where they are many.

  friend bool operator==(const RelayAttributes&, const RelayAttributes&) = default;
};
[[nodiscard]] std::vector<std::pair<std::string, std::string>> ConnectionAttributesOf(
    const RelayAttributes& relay);

// A replica that has registered; outboxd does not.
struct RegisteredReplica {
  std::uint32_t server_id = 0;
  std::string host;
};

// Who reads the server's log, as far as the account can see it: relays of the same account always,
// those of other accounts only where it may read performance_schema. A relay can be there more than
// once. kDisconnected, kUnknown; what the server does not show is no error.
struct LogReaders {
  std::vector<RelayAttributes> relays = {};
  std::vector<RegisteredReplica> replicas = {};
};
[[nodiscard]] Result<LogReaders> AskForLogReaders(MysqlConnection& connection);

}  // namespace outboxd::binlog
