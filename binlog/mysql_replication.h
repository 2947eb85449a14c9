#pragma once

#include "binlog/failover.h"
#include "binlog/gtid_set.h"

namespace outboxd::binlog {

class MysqlConnection;

// How the server may still get `missing`: by the channels that it replicates through.
[[nodiscard]] Replication AskForReplication(MysqlConnection& connection, const GtidSet& missing);

}  // namespace outboxd::binlog
