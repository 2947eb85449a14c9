#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "binlog/error.h"
#include "binlog/failover.h"
#include "binlog/group_member.h"
#include "binlog/result_row.h"
#include "binlog/server_probe.h"

namespace outboxd::binlog {

class MysqlConnection;

// How the server may still get `missing`: by the channels that it replicates through, and from the
// group whose member it is. kDisconnected: it is out of its group for the time being, so that
// nobody can say, or the connection is gone. kDenied: the account may not see it; the hint is the
// GRANT.
[[nodiscard]] Result<Replication> AskForReplication(MysqlConnection& connection,
                                                    const GtidSet& missing);

// By the channels that the server replicates through. One that does not replicate at all is no
// replica if it can be written to: it was one. kDenied: REPLICATION CLIENT is missing.
[[nodiscard]] Result<ReplicaStanding> AskForReplicaStanding(MysqlConnection& connection);
// Whether it may lack something, by one row of SHOW REPLICA STATUS.
[[nodiscard]] bool IsBehind(const ResultRow& channel);
// Whether neither thread of the channel runs.
[[nodiscard]] bool IsStopped(const ResultRow& channel);

// The group that the server is a member of; empty: none, Group Replication is not installed there.
[[nodiscard]] Result<std::string> AskForGroup(MysqlConnection& connection);

// As the server sees itself in `group`. kDenied: the account may not.
[[nodiscard]] Result<GroupMember> AskForMember(MysqlConnection& connection,
                                               const std::string& group);

// None: the server is in no group. kDenied: the account may not see it.
[[nodiscard]] Result<std::optional<GroupStanding>> AskForStanding(MysqlConnection& connection);

// What AskForMember() takes: "SELECT on performance_schema.a, b", and the GRANTs to `account`.
[[nodiscard]] std::string GroupPrivileges();
[[nodiscard]] std::string GroupGrants(std::string_view account);

}  // namespace outboxd::binlog
