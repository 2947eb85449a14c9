#include "binlog/mysql_replication.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "binlog/mysql_connection.h"

namespace outboxd::binlog {
namespace {

// The channel of what the group sends. SHOW REPLICA STATUS does not tell of it.
constexpr std::string_view kGroupChannel = "group_replication_applier";
// Of performance_schema.
constexpr std::array<std::string_view, 3> kGroupTables = {
    "replication_group_members", "replication_connection_status", "replication_group_member_stats"};

std::string ClientGrant(std::string_view account) {
  return fmt::format("GRANT REPLICATION CLIENT ON *.* TO {}", account);
}

// Passes on what is no refusal; of one says what is missing.
std::unexpected<Error> Refused(MysqlConnection& connection, const Error& error,
                               std::string_view hidden,
                               std::string (*grants_to)(std::string_view account)) {
  if (error.kind != ErrorKind::kDenied) return std::unexpected(error);
  const auto account = connection.AccountName();
  if (!account) return std::unexpected(account.error());
  return Fail(ErrorKind::kDenied, "{} is not shown: {}", hidden, error.message)
      .Hint("{}", grants_to(*account));
}

// Columns of SHOW REPLICA STATUS, in their order since 5.7.
constexpr std::size_t kReceivedFile = 5;
constexpr std::size_t kReceivedOffset = 6;
constexpr std::size_t kAppliedFile = 9;
constexpr std::size_t kReceiverIsRunning = 10;
constexpr std::size_t kApplierIsRunning = 11;
constexpr std::size_t kAppliedOffset = 21;
constexpr std::size_t kSecondsBehind = 32;
constexpr std::size_t kSourceUuid = 40;
constexpr std::size_t kApplierState = 44;
constexpr std::size_t kReceived = 51;

Result<std::vector<ResultRow>> AskForChannels(MysqlConnection& connection) {
  return connection.QueryRenamed("SHOW REPLICA STATUS", "SHOW SLAVE STATUS", kReceived + 1);
}

Result<Replication> AskForChannels(MysqlConnection& connection, const GtidSet& missing) {
  const auto channels = AskForChannels(connection);
  if (!channels) return std::unexpected(channels.error());
  Replication replication;
  for (const ResultRow& channel : *channels) {
    if (channel[kReceiverIsRunning] == "Yes") {
      replication.sources.push_back(channel[kSourceUuid].value_or(""));
    }
    if (channel[kApplierIsRunning] != "Yes") continue;
    const auto received = GtidSet::Parse(channel[kReceived].value_or(""));
    if (received && !received->Intersect(missing).empty()) replication.is_applying = true;
  }
  return replication;
}

// The members and their states alone.
Result<GroupMember> AskForStates(MysqlConnection& connection, const std::string& group) {
  auto members = connection.Query(fmt::format(
      "SELECT member_id, member_state, member_id = @@global.server_uuid FROM performance_schema.{}",
      kGroupTables[0]));
  if (!members) return std::unexpected(members.error());
  GroupMember member{.group = group};
  for (const ResultRow& row : *members) {
    const MemberState state = ParseMemberState(row.at(1).value_or(""));
    if (row.at(2) == "1") {
      member.state = state;
    } else if (const std::string uuid = row.at(0).value_or(""); !uuid.empty()) {
      member.others.push_back({uuid, state});
    }
  }
  return member;
}

}  // namespace

Result<std::string> AskForGroup(MysqlConnection& connection) {
  // The plugin brings the variable; asking for its value would be an error without it.
  auto rows = connection.Query("SHOW GLOBAL VARIABLES LIKE 'group_replication_group_name'");
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::string();
  const std::string name = rows->front().at(1).value_or("");
  const auto uuid = ParseUuid(name);
  return uuid ? ToText(*uuid) : std::string();
}

Result<GroupMember> AskForMember(MysqlConnection& connection, const std::string& group) {
  auto member = AskForStates(connection, group);
  if (!member) return member;
  auto received = connection.QueryValue(fmt::format(
      "SELECT received_transaction_set FROM performance_schema.{} WHERE channel_name = '{}'",
      kGroupTables[1], kGroupChannel));
  if (!received) return std::unexpected(received.error());
  auto queued = connection.QueryValue(
      fmt::format("SELECT count_transactions_in_queue FROM performance_schema.{} WHERE member_id ="
                  " @@global.server_uuid",
                  kGroupTables[2]));
  if (!queued) return std::unexpected(queued.error());
  auto parsed = GtidSet::Parse(received->value_or(""));
  if (!parsed) return std::unexpected(parsed.error());
  member->received = std::move(*parsed);
  member->has_uncertified = queued->value_or("0") != "0";
  return member;
}

bool IsStopped(const ResultRow& channel) {
  return channel[kReceiverIsRunning] == "No" && channel[kApplierIsRunning] == "No";
}

// Where the two places differ though there is nothing to apply, the applier says so: it is behind
// neither in time, nor has it anything left to read.
bool IsBehind(const ResultRow& channel) {
  if (channel[kReceiverIsRunning] != "Yes" || channel[kApplierIsRunning] != "Yes") return true;
  if (channel[kReceivedFile] == channel[kAppliedFile] &&
      channel[kReceivedOffset] == channel[kAppliedOffset]) {
    return false;
  }
  const bool has_read_all =
      channel[kApplierState].value_or("").find("has read all relay log") != std::string::npos;
  return channel[kSecondsBehind] != "0" || !has_read_all;
}

Result<ReplicaStanding> AskForReplicaStanding(MysqlConnection& connection) {
  const auto channels = AskForChannels(connection);
  if (!channels) return std::unexpected(channels.error());
  if (channels->empty()) return ReplicaStanding::kNone;
  if (!std::ranges::all_of(*channels, IsStopped)) {
    const bool is_behind = std::ranges::any_of(*channels, IsBehind);
    return is_behind ? ReplicaStanding::kBehind : ReplicaStanding::kCaughtUp;
  }
  const auto is_read_only = AskWhetherReadOnly(connection);
  if (!is_read_only) return std::unexpected(is_read_only.error());
  return *is_read_only ? ReplicaStanding::kBehind : ReplicaStanding::kNone;
}

Result<std::optional<GroupStanding>> AskForStanding(MysqlConnection& connection) {
  const auto group = AskForGroup(connection);
  if (!group) return std::unexpected(group.error());
  if (group->empty()) return std::nullopt;
  const auto member = AskForStates(connection, *group);
  if (!member) return std::unexpected(member.error());
  const auto why = WhyCutOff(*member);
  if (!why) return GroupStanding{};
  return GroupStanding{fmt::format("gets nothing of what group {} commits: {}", *group, *why)};
}

Result<Replication> AskForReplication(MysqlConnection& connection, const GtidSet& missing) {
  auto replication = AskForChannels(connection, missing);
  if (!replication) {
    return Refused(connection, replication.error(), "what it replicates", ClientGrant);
  }
  auto group = AskForGroup(connection);
  if (!group) return std::unexpected(group.error());
  if (group->empty()) return replication;
  auto member = AskForMember(connection, *group);
  if (!member) {
    return Refused(connection, member.error(),
                   fmt::format("what it receives from group {}", *group), GroupGrants);
  }
  if (IsOutOfGroup(*member, missing)) {
    return Fail(ErrorKind::kDisconnected,
                "it is out of group {}, and can get them only when it is back", *group)
        .Hint("START GROUP_REPLICATION on it");
  }
  Replication by_group = ReplicationOf(*member, missing);
  by_group.is_applying = by_group.is_applying || replication->is_applying;
  std::ranges::move(replication->sources, std::back_inserter(by_group.sources));
  return by_group;
}

std::string GroupPrivileges() {
  return fmt::format("SELECT on performance_schema.{}", fmt::join(kGroupTables, ", "));
}

std::string GroupGrants(std::string_view account) {
  std::string grants;
  for (const std::string_view table : kGroupTables) {
    if (!grants.empty()) grants += "; ";
    grants += fmt::format("GRANT SELECT ON performance_schema.{} TO {}", table, account);
  }
  return grants;
}

}  // namespace outboxd::binlog
