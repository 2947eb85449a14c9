#include "binlog/group_member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kGroup = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
constexpr std::string_view kElsewhere = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

GtidSet OfGroup(std::string_view numbers) {
  return GtidSet::Parse(fmt::format("{}:{}", kGroup, numbers)).value();
}

GtidSet FromElsewhere() { return GtidSet::Parse(fmt::format("{}:7", kElsewhere)).value(); }

// One that has received 1-8, in a group with members of every state.
GroupMember Member(MemberState state) {
  return {.group = std::string(kGroup),
          .state = state,
          .received = OfGroup("1-8"),
          .others = {{"online", MemberState::kOnline},
                     {"recovering", MemberState::kRecovering},
                     {"unreachable", MemberState::kUnreachable},
                     {"failed", MemberState::kError}}};
}

TEST(ParseMemberStateTest, KnowsTheNamesOfTheServer) {
  EXPECT_EQ(ParseMemberState("ONLINE"), MemberState::kOnline);
  EXPECT_EQ(ParseMemberState("RECOVERING"), MemberState::kRecovering);
  EXPECT_EQ(ParseMemberState("UNREACHABLE"), MemberState::kUnreachable);
  EXPECT_EQ(ParseMemberState("ERROR"), MemberState::kError);
  EXPECT_EQ(ParseMemberState("OFFLINE"), MemberState::kOffline);
  EXPECT_EQ(ParseMemberState("OF A LATER VERSION"), MemberState::kUnreachable);
}

TEST(GroupMemberTest, AppliesWhatItHasReceived) {
  for (const MemberState state : {MemberState::kOnline, MemberState::kRecovering}) {
    EXPECT_TRUE(ReplicationOf(Member(state), OfGroup("8-9")).is_applying);
    EXPECT_FALSE(ReplicationOf(Member(state), OfGroup("9")).is_applying);
  }
}

TEST(GroupMemberTest, MayHaveReceivedWhatHasNoGtidYet) {
  GroupMember member = Member(MemberState::kOnline);
  member.has_uncertified = true;
  EXPECT_TRUE(ReplicationOf(member, OfGroup("9")).is_applying);
}

TEST(GroupMemberTest, OnlineGetsNothingFromMembersThatGotTheSame) {
  EXPECT_THAT(ReplicationOf(Member(MemberState::kOnline), OfGroup("9")).sources,
              ElementsAre("unreachable"));
}

TEST(GroupMemberTest, OnlineGetsFromTheOthersWhatComesFromOutsideOfTheGroup) {
  EXPECT_THAT(ReplicationOf(Member(MemberState::kOnline), FromElsewhere()).sources,
              ElementsAre("online", "unreachable"));
}

TEST(GroupMemberTest, RecoveringGetsWhatItMissedFromThoseOnline) {
  EXPECT_THAT(ReplicationOf(Member(MemberState::kRecovering), OfGroup("9")).sources,
              ElementsAre("online", "unreachable"));
}

TEST(GroupMemberTest, OutsideOfItsGroupItAppliesAndGetsNothing) {
  for (const MemberState state : {MemberState::kError, MemberState::kOffline}) {
    const Replication replication = ReplicationOf(Member(state), OfGroup("8"));
    EXPECT_FALSE(replication.is_applying);
    EXPECT_THAT(replication.sources, IsEmpty());
    EXPECT_TRUE(IsOutOfGroup(Member(state), OfGroup("9")));
    EXPECT_FALSE(IsOutOfGroup(Member(state), FromElsewhere()));
  }
  EXPECT_FALSE(IsOutOfGroup(Member(MemberState::kOnline), OfGroup("9")));
  EXPECT_FALSE(IsOutOfGroup(Member(MemberState::kRecovering), OfGroup("9")));
}

// One in a group with others of these states.
GroupMember With(MemberState own, const std::vector<MemberState>& others) {
  GroupMember member{.group = std::string(kGroup), .state = own};
  for (const MemberState state : others) member.others.push_back({"other", state});
  return member;
}

TEST(CutOffTest, OneThatIsOutOfTheGroupIs) {
  for (const MemberState state : {MemberState::kOffline, MemberState::kError}) {
    EXPECT_TRUE(WhyCutOff(With(state, {})));
    EXPECT_TRUE(WhyCutOff(With(state, {MemberState::kOnline, MemberState::kOnline})));
  }
}

TEST(CutOffTest, OneThatRecoversIsOnlyLate) {
  EXPECT_FALSE(WhyCutOff(With(MemberState::kRecovering, {MemberState::kOnline})));
}

TEST(CutOffTest, OneWithAMajorityIsNot) {
  EXPECT_FALSE(WhyCutOff(With(MemberState::kOnline, {})));
  EXPECT_FALSE(
      WhyCutOff(With(MemberState::kOnline, {MemberState::kRecovering, MemberState::kUnreachable})));
}

TEST(CutOffTest, HalfOfTheGroupIsNoMajority) {
  EXPECT_EQ(WhyCutOff(With(MemberState::kOnline, {MemberState::kUnreachable})),
            "it reaches 1 of the 2 members, which is no majority");
  EXPECT_TRUE(WhyCutOff(With(MemberState::kOnline, {MemberState::kOnline, MemberState::kUnreachable,
                                                    MemberState::kUnreachable})));
}

TEST(CutOffTest, OthersThatHaveLeftDoNotCount) {
  EXPECT_FALSE(WhyCutOff(With(MemberState::kOnline, {MemberState::kError, MemberState::kOffline})));
}

}  // namespace
}  // namespace outboxd::binlog
