#pragma once

#include <cstdint>
#include <string>

#include "binlog/error.h"
#include "binlog/mysql_connection.h"

namespace outboxd::binlog {

// Who asks for a log among the server's replicas: a dump ends another one of the same identity.
struct ReplicaIdentity {
  std::uint32_t server_id = 0;  // Never 0.
  std::string uuid;             // Text form.
};

// When a file of a server's log was begun, by the server's clock, to the second: microseconds since
// the epoch. No statement tells it, so that the file's first event is read, over a connection of
// its own that ends with the call. It waits at most about 20 s. kGone: there is no such file any
// more. kDenied: REPLICATION SLAVE is missing.
[[nodiscard]] Result<std::uint64_t> AskForFileBegin(const ConnectionOptions& options,
                                                    const ReplicaIdentity& identity,
                                                    const std::string& file);

}  // namespace outboxd::binlog
