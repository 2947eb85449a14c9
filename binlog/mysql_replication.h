#pragma once

#include "binlog/error.h"
#include "binlog/failover.h"
#include "binlog/gtid_set.h"

namespace outboxd::binlog {

class MysqlConnection;

// How the server may still get `missing`: by the channels that it replicates through.
// kDisconnected: the connection is gone. kDenied: the account may not see it; the hint is the
// GRANT.
[[nodiscard]] Result<Replication> AskForReplication(MysqlConnection& connection,
                                                    const GtidSet& missing);

}  // namespace outboxd::binlog
