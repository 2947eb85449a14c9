#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/failover.h"
#include "binlog/gtid_set.h"

namespace outboxd::binlog {

// MEMBER_STATE of performance_schema.replication_group_members.
enum class MemberState {
  kOnline,
  kRecovering,   // It gets from the others what it missed.
  kUnreachable,  // Nothing is heard of it; it still counts as a member.
  kError,        // It was expelled or failed; it may join again by itself.
  kOffline,      // It has left, or was not started yet.
};

// None of the names that are known: a state of a later version, taken for kUnreachable.
[[nodiscard]] MemberState ParseMemberState(std::string_view text);

// A server of a group (Group Replication, InnoDB Cluster), as it sees itself and the others.
struct GroupMember {
  struct Other {
    std::string server_uuid;
    MemberState state{};
  };

  std::string group;  // The name, which is the UUID of the transactions that the group numbers.
  MemberState state = MemberState::kOffline;
  GtidSet received = {};         // What it has in its relay log, applied or not.
  bool has_uncertified = false;  // Transactions that the group has sent, and that have no GTID yet.
  std::vector<Other> others = {};
};

// Why what the group commits does not reach the member at present: it is out of the group, or not
// with a majority of it, and only a majority commits. None: it reaches it, though it may be late.
[[nodiscard]] std::optional<std::string> WhyCutOff(const GroupMember& member);

// How a member stands to its group.
struct GroupStanding {
  // Why it is cut off, in words: "gets nothing of what group G commits: ...". None: it is not.
  std::optional<std::string> cut_off = {};
};

// How the member may get `missing`, which it does not have yet.
[[nodiscard]] Replication ReplicationOf(const GroupMember& member, const GtidSet& missing);

// Whether the member lacks transactions of a group that it is not in at present: what the group
// has it gets when it joins again, and nothing is known of the group from it until then.
[[nodiscard]] bool IsOutOfGroup(const GroupMember& member, const GtidSet& missing);

}  // namespace outboxd::binlog
