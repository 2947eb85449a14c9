#include "binlog/group_member.h"

#include <algorithm>

namespace outboxd::binlog {
namespace {

bool IsOut(MemberState state) {
  return state == MemberState::kError || state == MemberState::kOffline;
}

// Tells whether the group numbers what has an origin.
auto IsNumberedBy(const std::string& group) {
  return [&group](const auto& entry) { return ToText(entry.first.uuid) == group; };
}

// Members that are online have been sent the same. What has another origin one of them may have
// got from outside, and then passes on.
bool MayGive(MemberState other, MemberState own, bool is_of_group) {
  switch (other) {
    case MemberState::kUnreachable:
      return true;
    case MemberState::kOnline:
      return own != MemberState::kOnline || !is_of_group;
    case MemberState::kRecovering:
    case MemberState::kError:
    case MemberState::kOffline:
      return false;
  }
  return false;
}

}  // namespace

MemberState ParseMemberState(std::string_view text) {
  if (text == "ONLINE") return MemberState::kOnline;
  if (text == "RECOVERING") return MemberState::kRecovering;
  if (text == "ERROR") return MemberState::kError;
  if (text == "OFFLINE") return MemberState::kOffline;
  return MemberState::kUnreachable;
}

std::optional<std::string> WhyCutOff(const GroupMember& member) {
  if (member.state == MemberState::kOffline) {
    return "it has left it, or has not joined yet (OFFLINE)";
  }
  if (member.state == MemberState::kError) return "it was expelled, or could not join (ERROR)";
  // Those that have left do not count.
  const auto count = [&member](MemberState state) {
    return std::ranges::count(member.others, state, &GroupMember::Other::state);
  };
  const auto reached = 1 + count(MemberState::kOnline) + count(MemberState::kRecovering);
  const auto all = reached + count(MemberState::kUnreachable);
  if (2 * reached > all) return std::nullopt;
  return fmt::format("it reaches {} of the {} members, which is no majority", reached, all);
}

Replication ReplicationOf(const GroupMember& member, const GtidSet& missing) {
  Replication replication{.is_applying = false, .sources = {}, .group = member.group};
  if (IsOut(member.state)) return replication;
  replication.is_applying = member.has_uncertified || !member.received.Intersect(missing).empty();
  const bool is_of_group = std::ranges::all_of(missing.origins(), IsNumberedBy(member.group));
  for (const GroupMember::Other& other : member.others) {
    if (!MayGive(other.state, member.state, is_of_group)) continue;
    replication.sources.push_back(other.server_uuid);
  }
  return replication;
}

bool IsOutOfGroup(const GroupMember& member, const GtidSet& missing) {
  return IsOut(member.state) && std::ranges::any_of(missing.origins(), IsNumberedBy(member.group));
}

}  // namespace outboxd::binlog
