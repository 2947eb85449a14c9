#include "binlog/failover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::string_view kFormer = "11111111-1111-1111-1111-111111111111";
constexpr std::string_view kServer = "22222222-2222-2222-2222-222222222222";
constexpr std::string_view kThird = "33333333-3333-3333-3333-333333333333";

GtidSet Set(std::string_view former, std::string_view server = "", std::string_view third = "") {
  std::string text;
  if (!former.empty()) text += fmt::format("{}:{},", kFormer, former);
  if (!server.empty()) text += fmt::format("{}:{},", kServer, server);
  if (!third.empty()) text += fmt::format("{}:{}", kThird, third);
  return GtidSet::Parse(text).value();
}

Lack Compare(const GtidSet& have, const GtidSet& server_has) {
  return CompareHistories(have, server_has, kServer, kFormer).lack;
}

TEST(CompareHistoriesTest, AServerWithMoreLacksNothing) {
  EXPECT_EQ(Compare(Set("1-10"), Set("1-12", "1-3", "7")), Lack::kNothing);
  EXPECT_EQ(Compare({}, {}), Lack::kNothing);
}

TEST(CompareHistoriesTest, TheLastTransactionsOfTheFormerSourceAreATail) {
  const auto compared = CompareHistories(Set("1-10", "1-5"), Set("1-8", "1-9"), kServer, kFormer);
  EXPECT_EQ(compared.lack, Lack::kTail);
  EXPECT_EQ(compared.missing, Set("9-10"));
  EXPECT_EQ(Compare(Set("1-10", "", "1-3"), Set("", "", "1-3")), Lack::kTail);
}

TEST(CompareHistoriesTest, ATailMayBeOfATag) {
  EXPECT_EQ(Compare(Set("1-10:tag:1-4"), Set("1-10:tag:1-2")), Lack::kTail);
  EXPECT_EQ(Compare(Set("1-10:tag:1-4"), Set("1-9:tag:1-2:4")), Lack::kOther);
}

TEST(CompareHistoriesTest, AGapInTheFormerSourcesNumbersIsNoTail) {
  EXPECT_EQ(Compare(Set("1-10"), Set("1-4:6-10")), Lack::kOther);
  EXPECT_EQ(Compare(Set("1-10"), Set("1-8:12")), Lack::kOther);
}

TEST(CompareHistoriesTest, AServerThatLacksItsOwnTransactionsWasReset) {
  EXPECT_EQ(Compare(Set("1-10", "1-5"), Set("1-10", "1-4")), Lack::kOwn);
  EXPECT_EQ(Compare(Set("1-10", "1-5"), Set("1-8", "1-4")), Lack::kOwn);
  EXPECT_EQ(Compare(Set("", "1-5"), {}), Lack::kOwn);
}

TEST(CompareHistoriesTest, TransactionsOfAThirdServerAreNoTailOfTheFormerOne) {
  EXPECT_EQ(Compare(Set("1-10", "", "1-3"), Set("1-10", "", "1-2")), Lack::kOther);
  EXPECT_EQ(Compare(Set("1-10", "", "1-3"), Set("1-9", "", "1-2")), Lack::kOther);
  EXPECT_EQ(CompareHistories(Set("1-10"), Set("1-9"), kServer, "").lack, Lack::kOther);
}

TEST(CompareHistoriesTest, AServerWithNothingOfThePositionIsAnotherOne) {
  EXPECT_EQ(Compare(Set("1-10"), Set("", "1-7")), Lack::kDisjoint);
  EXPECT_EQ(Compare(Set("1-10"), {}), Lack::kDisjoint);
}

TEST(OfUnseenOriginsTest, AreThoseOfUuidsThatThePositionDoesNotKnow) {
  EXPECT_EQ(OfUnseenOrigins(Set("1-10"), Set("1-12:tag:4", "1-3", "7")), Set("", "1-3", "7"));
}

TEST(ParseOwnedGtidsTest, LeavesTheSessionsOut) {
  const auto owned = ParseOwnedGtids(fmt::format("{}:12#4:13#5,\n{}:7#123", kFormer, kServer));
  ASSERT_TRUE(owned);
  EXPECT_EQ(*owned, Set("12-13", "7"));
  EXPECT_TRUE(ParseOwnedGtids("")->empty());
}

TEST(CompareLastTransactionTest, AnotherTimeOfCommitIsAnotherTransaction) {
  KnownHistory known{std::string(kFormer), Gtid{{ParseUuid(kFormer).value(), ""}, 7},
                     1'760'000'000'000'001};
  EXPECT_TRUE(CompareLastTransaction(known, 1'760'000'000'000'001));
  EXPECT_TRUE(CompareLastTransaction(known, 0));
  const auto reused = CompareLastTransaction(known, 1'760'000'005'000'002);
  ASSERT_FALSE(reused);
  EXPECT_EQ(reused.error().kind, ErrorKind::kDiverged);
  EXPECT_THAT(reused.error().message,
              HasSubstr("1111:7 was committed at 2025-10-09 08:53:20.000001 UTC when it was read,"
                        " but at 2025-10-09 08:53:25.000002 UTC"));
  known.last_commit_us = 0;
  EXPECT_TRUE(CompareLastTransaction(known, 1));
}

class HostChoiceTest : public testing::Test {
 protected:
  static HostAnswer Fails(ErrorKind kind) {
    HostAnswer answer;
    answer.error = {kind, "failed"};
    return answer;
  }
  static HostAnswer Lacks(Lack lack, std::uint64_t missing = 1) {
    HostAnswer answer;
    answer.error = {ErrorKind::kDiverged, fmt::format("lacks {}", missing)};
    answer.lack = lack;
    answer.missing = missing;
    answer.server_uuid = "promoted";
    return answer;
  }
  static HostAnswer Applies() {
    HostAnswer answer = Lacks(Lack::kTail, 5);
    answer.server_uuid = "applying";
    answer.replication.is_applying = true;
    return answer;
  }
  static HostAnswer Receives(const std::string& uuid, const std::vector<std::string>& sources) {
    HostAnswer answer = Lacks(Lack::kTail, 5);
    answer.server_uuid = uuid;
    answer.replication.sources = sources;
    return answer;
  }
  static HostAnswer Hides(Lack lack) {
    HostAnswer answer = Lacks(lack);
    answer.error = {ErrorKind::kDenied, "is not shown", "GRANT"};
    return answer;
  }
  // What is decided `later` than the first time that the hosts answered so.
  Result<std::size_t> Decide(const std::vector<HostAnswer>& answers, seconds later = {}) {
    if (later > seconds(0)) {
      EXPECT_FALSE(choice_.Decide(answers, {}));
    }
    return choice_.Decide(answers, HostChoice::TimePoint(later));
  }
  ErrorKind Refusal(const std::vector<HostAnswer>& answers, seconds later = {}) {
    const auto chosen = Decide(answers, later);
    EXPECT_FALSE(chosen);
    return chosen ? ErrorKind::kEnd : chosen.error().kind;
  }

  HostChoice choice_{seconds(60)};
};

TEST_F(HostChoiceTest, PassesTheMostHopefulErrorOnWhenNoHostCanGoOn) {
  EXPECT_EQ(Refusal({Fails(ErrorKind::kDenied), Fails(ErrorKind::kDisconnected)}),
            ErrorKind::kDisconnected);
  EXPECT_EQ(Refusal({Fails(ErrorKind::kDenied)}), ErrorKind::kDenied);
}

TEST_F(HostChoiceTest, WaitsForAServerThatLagsAndThenGoesOnWithoutWhatItLost) {
  EXPECT_EQ(Refusal({Lacks(Lack::kTail)}, seconds(59)), ErrorKind::kDisconnected);
  EXPECT_EQ(choice_.Decide({{Lacks(Lack::kTail)}}, HostChoice::TimePoint(seconds(60))), 0u);
}

TEST_F(HostChoiceTest, GoesOnWithTheHostThatLostLeast) {
  EXPECT_EQ(Decide({Fails(ErrorKind::kDisconnected), Lacks(Lack::kTail, 3), Lacks(Lack::kTail, 2),
                    Lacks(Lack::kTail, 2), Lacks(Lack::kOwn, 1)},
                   seconds(60)),
            2u);
}

TEST_F(HostChoiceTest, CallsNothingLostWhileAHostCatchesUp) {
  const HostAnswer receives = Receives("r", {"former"});
  for (const HostAnswer& answer : {Applies(), receives, Receives("r", {""})}) {
    choice_.Reset();
    EXPECT_EQ(Refusal({answer}, seconds(3600)), ErrorKind::kDisconnected);
    EXPECT_EQ(Refusal({Lacks(Lack::kTail), answer}, seconds(7200)), ErrorKind::kDisconnected);
  }
  // Along a chain.
  EXPECT_EQ(Refusal({Receives("s", {"r"}), receives}, seconds(9000)), ErrorKind::kDisconnected);
}

TEST_F(HostChoiceTest, AReplicaOfAServerThatLostThemDoesNotCatchUp) {
  EXPECT_EQ(
      Decide({Lacks(Lack::kTail), Receives("r", {"promoted"}), Receives("s", {"r"})}, seconds(60)),
      0u);
  choice_.Reset();
  // Two that replicate from each other.
  EXPECT_EQ(Decide({Receives("a", {"b"}), Receives("b", {"a"})}, seconds(60)), 0u);
  choice_.Reset();
  // One of its sources may have them.
  EXPECT_FALSE(Decide({Lacks(Lack::kTail), Receives("r", {"promoted", "x"})}, seconds(60)));
}

TEST_F(HostChoiceTest, WhatTheAccountIsNotShownCountsNeitherAsLostNorAsAnotherHistory) {
  for (const Lack lack : {Lack::kTail, Lack::kOther, Lack::kDisjoint}) {
    choice_.Reset();
    EXPECT_EQ(Refusal({Hides(lack)}), ErrorKind::kDisconnected);
    EXPECT_EQ(Refusal({Hides(lack)}, seconds(60)), ErrorKind::kDenied);
    EXPECT_EQ(Refusal({Lacks(Lack::kTail), Lacks(Lack::kOwn), Hides(lack)}, seconds(120)),
              ErrorKind::kDenied);
  }
}

TEST_F(HostChoiceTest, TellsHowTheWaitForAGroupEnds) {
  HostAnswer answer = Applies();
  EXPECT_THAT(Decide({answer}, seconds(60)).error().hint, HasSubstr("STOP REPLICA"));
  answer.replication.group = kThird;
  EXPECT_THAT(Decide({answer}, seconds(120)).error().hint,
              HasSubstr("group_replication_force_members"));
}

TEST_F(HostChoiceTest, GivesUpOnAServerWithAnotherHistory) {
  for (const Lack lack : {Lack::kOwn, Lack::kOther, Lack::kDisjoint}) {
    choice_.Reset();
    EXPECT_EQ(Refusal({Lacks(lack)}), ErrorKind::kDisconnected);
    EXPECT_EQ(Refusal({Lacks(lack)}, seconds(60)), ErrorKind::kDiverged);
  }
}

TEST_F(HostChoiceTest, APurgeEndsTheRunAtOnceUnlessAnotherHostMayComeBack) {
  EXPECT_EQ(Refusal({Fails(ErrorKind::kGone)}), ErrorKind::kGone);
  const std::vector<HostAnswer> one_away = {Fails(ErrorKind::kGone),
                                            Fails(ErrorKind::kDisconnected)};
  EXPECT_EQ(Refusal(one_away, seconds(59)), ErrorKind::kDisconnected);
  EXPECT_EQ(Refusal(one_away, seconds(3600)), ErrorKind::kDisconnected);
  const std::vector<HostAnswer> both = {Fails(ErrorKind::kGone), Fails(ErrorKind::kUnsuitable)};
  EXPECT_EQ(Refusal(both, seconds(3700)), ErrorKind::kGone);
}

TEST_F(HostChoiceTest, ADefiniteAnswerDoesNotEndTheRunWhileAnotherHostGivesNone) {
  for (const ErrorKind definite :
       {ErrorKind::kUnsuitable, ErrorKind::kDenied, ErrorKind::kHandshake, ErrorKind::kGone}) {
    for (const ErrorKind open : {ErrorKind::kDisconnected, ErrorKind::kUnknown}) {
      choice_.Reset();
      EXPECT_EQ(Refusal({Fails(definite), Fails(open)}, seconds(3600)), open);
      choice_.Reset();
      EXPECT_EQ(Refusal({Fails(open), Fails(definite)}, seconds(3600)), open);
    }
  }
  choice_.Reset();
  EXPECT_EQ(Refusal({Lacks(Lack::kOwn), Fails(ErrorKind::kDisconnected)}, seconds(3600)),
            ErrorKind::kDisconnected);
  EXPECT_EQ(Refusal({Fails(ErrorKind::kUnknown), Fails(ErrorKind::kDisconnected)}),
            ErrorKind::kDisconnected);
}

TEST_F(HostChoiceTest, WhatAnOperatorCanMendAtAHostCountsMoreThanAnotherHostsVerdict) {
  EXPECT_EQ(Refusal({Fails(ErrorKind::kUnsuitable), Fails(ErrorKind::kDenied)}),
            ErrorKind::kDenied);
  EXPECT_EQ(Refusal({Fails(ErrorKind::kHandshake), Fails(ErrorKind::kUnsuitable)}),
            ErrorKind::kHandshake);
}

TEST(MostHopefulTest, NamesWhatEachHostAnsweredAndKeepsOneHint) {
  std::vector<HostAnswer> answers(3);
  answers[0].error = {ErrorKind::kUnsuitable, "a: log_bin is OFF", "switch it on"};
  answers[1].error = {ErrorKind::kDenied, "b: access denied", "the password"};
  answers[2].error = {ErrorKind::kUnsuitable, "c: MariaDB"};
  const Error error = MostHopeful(answers);
  EXPECT_EQ(error.kind, ErrorKind::kDenied);
  EXPECT_EQ(error.ToText(), "a: log_bin is OFF; c: MariaDB; b: access denied HINT: the password");
}

TEST_F(HostChoiceTest, TheWaitBeginsAnewAfterAHostWentOnOrNoneAnswered) {
  EXPECT_EQ(Refusal({Lacks(Lack::kTail)}), ErrorKind::kDisconnected);
  EXPECT_EQ(Refusal({Fails(ErrorKind::kDisconnected)}), ErrorKind::kDisconnected);
  const std::vector<HostAnswer> lag = {Lacks(Lack::kTail)};
  EXPECT_FALSE(choice_.Decide(lag, HostChoice::TimePoint(seconds(60))));
  choice_.Reset();
  EXPECT_FALSE(choice_.Decide(lag, HostChoice::TimePoint(seconds(120))));
  EXPECT_TRUE(choice_.Decide(lag, HostChoice::TimePoint(seconds(180))));
}

}  // namespace
}  // namespace outboxd::binlog
