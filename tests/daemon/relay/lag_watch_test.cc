#include "daemon/relay/lag_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using binlog::ReplicaStanding;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Optional;

constexpr const char* kUuid = "11111111-1111-1111-1111-111111111111";
constexpr const char* kOther = "22222222-2222-2222-2222-222222222222";
const binlog::LogEnd kEnd{"binlog.000001", 1000};

class LagWatchTest : public testing::Test {
 protected:
  void SetUp() override { Open(kUuid); }

  void Open(const std::string& uuid) {
    tracker_.SetServer({.server_uuid = uuid, .by_gtid = true});
    lag_.OnOpened(uuid);
  }
  // Of the server's clock, which is this machine's unless a test says otherwise.
  std::uint64_t Ago(milliseconds time) {
    return clock_.WallMicroseconds() - 1000 * std::uint64_t(time.count());
  }
  static binlog::Transaction At(const binlog::LogEnd& end, std::uint64_t commit_us) {
    binlog::Transaction transaction;
    transaction.file = end.file;
    transaction.end_offset = end.offset;
    transaction.commit_us = commit_us;
    return transaction;
  }
  // A transaction with an event that ends there is on its way.
  sinks::DeliveryId Send(const binlog::LogEnd& end, std::uint64_t commit_us) {
    tracker_.Begin(commit_us);
    const sinks::DeliveryId id = tracker_.NextId();
    tracker_.Finish(At(end, commit_us), false);
    return id;
  }
  void Acknowledge(const binlog::LogEnd& end, std::uint64_t commit_us) {
    tracker_.Acknowledge(Send(end, commit_us));
  }
  void TellLogEnd(const binlog::LogEnd& end, ReplicaStanding standing = ReplicaStanding::kNone,
                  const char* uuid = kUuid) {
    lag_.OnLogEnd(
        {.server_uuid = uuid, .end = end, .standing = standing, .asked_at = clock_.Now()});
  }
  void TellHeartbeats(int count, const binlog::LogEnd& place = kEnd) {
    for (int i = 0; i < count; ++i) {
      clock_.Move(seconds(1));
      tracker_.ReachPlace(place);
      lag_.OnHeartbeat(place);
    }
  }
  std::optional<microseconds> Lag(bool is_away = false) {
    return LagAfter(lag_.Facts(is_away, std::nullopt));
  }

  FakeClock clock_;
  DeliveryTracker tracker_{Progress{}};
  ServerClock server_clock_{clock_};
  LagWatch lag_{tracker_, server_clock_, clock_, {}};
};

TEST_F(LagWatchTest, IsNotKnownUntilSomethingIsProven) {
  EXPECT_EQ(Lag(), std::nullopt);
  tracker_.ReachPlace(kEnd);
  EXPECT_EQ(Lag(), std::nullopt) << "a place is no proof";
  clock_.Move(seconds(100));
  EXPECT_EQ(Lag(), std::nullopt);
}

TEST_F(LagWatchTest, IsTheAgeOfTheOldestCommitThatIsNotAcknowledged) {
  const auto first = Send({"binlog.000001", 500}, Ago(seconds(7)));
  (void)Send({"binlog.000001", 600}, Ago(seconds(3)));
  EXPECT_THAT(Lag(), Optional(seconds(7)));
  clock_.Move(seconds(60));
  EXPECT_THAT(Lag(), Optional(seconds(67))) << "though nothing comes";
  tracker_.Acknowledge(first);
  EXPECT_THAT(Lag(), Optional(seconds(63)));
}

TEST_F(LagWatchTest, IsZeroWhenWhatIsAcknowledgedReachesTheEndOfTheLog) {
  Acknowledge({"binlog.000001", 999}, Ago(seconds(2)));
  TellLogEnd(kEnd);
  EXPECT_THAT(Lag(), Optional(seconds(2))) << "there is one byte more";
  Acknowledge(kEnd, Ago(milliseconds(10)));
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  Acknowledge({"binlog.000002", 4}, Ago(milliseconds(10)));
  EXPECT_THAT(Lag(), Optional(seconds(0)));
}

TEST_F(LagWatchTest, TheNumbersOfFilesAreComparedAsSuch) {
  TellLogEnd({"binlog.1000000", 200});
  tracker_.ReachPlace({"binlog.999999", 900});
  EXPECT_EQ(Lag(), std::nullopt);
  tracker_.ReachPlace({"binlog.1000000", 200});
  EXPECT_THAT(Lag(), Optional(seconds(0)));
}

TEST_F(LagWatchTest, TheEndOfTheLogProvesForTenSecondsAndThenItIsTheTimeSince) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  clock_.Move(milliseconds(9'999));
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  clock_.Move(milliseconds(1));
  EXPECT_THAT(Lag(), Optional(seconds(10)));
  clock_.Move(seconds(50));
  EXPECT_THAT(Lag(), Optional(seconds(60)));
}

TEST_F(LagWatchTest, FactsGoOnByThemselvesWhileNobodyMakesNewOnes) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd);
  clock_.Move(seconds(4));
  const LagFacts facts = lag_.Facts(false, std::nullopt);
  EXPECT_THAT(LagAfter(facts, seconds(5)), Optional(seconds(0)));
  EXPECT_THAT(LagAfter(facts, seconds(6)), Optional(seconds(10)));
  EXPECT_EQ(LagAfter(LagFacts{}, seconds(6)), std::nullopt);
}

TEST_F(LagWatchTest, AnEventThatIsOnItsWayCountsThoughThereIsAProof) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  (void)Send({"binlog.000001", 1200}, Ago(milliseconds(1)));
  EXPECT_THAT(Lag(), Optional(milliseconds(1)));
}

TEST_F(LagWatchTest, ThreeHeartbeatsInARowAtOnePlaceProve) {
  lag_.OnRefusal(kUuid);
  TellHeartbeats(2);
  EXPECT_EQ(Lag(), std::nullopt) << "two come where the server ends to skip";
  TellHeartbeats(1, {"binlog.000001", 1001});
  EXPECT_EQ(Lag(), std::nullopt);
  TellHeartbeats(2, {"binlog.000001", 1001});
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  clock_.Move(seconds(9));
  EXPECT_THAT(Lag(), Optional(seconds(10))) << "since the heartbeat before the last";
}

TEST_F(LagWatchTest, HeartbeatsProveNothingWhileSomethingIsOnItsWay) {
  lag_.OnRefusal(kUuid);
  const auto id = Send(kEnd, Ago(seconds(1)));
  TellHeartbeats(5);
  EXPECT_THAT(Lag(), Optional(seconds(6)));
  tracker_.Acknowledge(id);
  TellHeartbeats(1);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
}

TEST_F(LagWatchTest, HeartbeatsOfAnEarlierStreamDoNotCount) {
  lag_.OnRefusal(kUuid);
  TellHeartbeats(2);
  lag_.OnOpened(kUuid);
  TellHeartbeats(2);
  EXPECT_EQ(Lag(), std::nullopt);
  TellHeartbeats(1);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
}

TEST_F(LagWatchTest, HeartbeatsThatAreFarApartProveUntilTheNextIsOverdue) {
  LagWatch lag(tracker_, server_clock_, clock_, {.heartbeat = seconds(30)});
  lag.OnOpened(kUuid);
  lag.OnRefusal(kUuid);
  for (int i = 0; i < 3; ++i) {
    clock_.Move(seconds(30));
    lag.OnHeartbeat(kEnd);
  }
  clock_.Move(seconds(59));
  EXPECT_THAT(LagAfter(lag.Facts(false, {})), Optional(seconds(0)));
  clock_.Move(seconds(1));
  EXPECT_THAT(LagAfter(lag.Facts(false, {})), Optional(seconds(90)));
}

TEST_F(LagWatchTest, OfAReplicaThatIsBehindNothingIsProven) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd, ReplicaStanding::kBehind);
  TellHeartbeats(5);
  EXPECT_EQ(Lag(), std::nullopt);
  TellLogEnd(kEnd);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  TellLogEnd(kEnd, ReplicaStanding::kBehind);
  EXPECT_NE(Lag(), seconds(0));
}

// What an event that comes with a delay of an hour is acknowledged, the next one may wait as long.
TEST_F(LagWatchTest, OfAReplicaThatIsBehindItIsTheAgeOfTheLastThatIsAcknowledged) {
  TellLogEnd(kEnd, ReplicaStanding::kBehind);
  Acknowledge(kEnd, Ago(seconds(3600)));
  EXPECT_THAT(Lag(), Optional(seconds(3600)));
}

// It may have received something since it was asked.
TEST_F(LagWatchTest, HeartbeatsOfAReplicaProveNothing) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd, ReplicaStanding::kCaughtUp);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  TellHeartbeats(12);
  EXPECT_THAT(Lag(), Optional(seconds(12)));
}

TEST_F(LagWatchTest, HeartbeatsOfAnotherServerDoNotCountBeforeItWasAsked) {
  TellLogEnd(kEnd);
  Open(kOther);
  TellHeartbeats(5);
  EXPECT_EQ(Lag(), std::nullopt) << "it may be a replica that is behind";
  TellLogEnd(kEnd, ReplicaStanding::kNone, kUuid);
  TellHeartbeats(5);
  EXPECT_EQ(Lag(), std::nullopt) << "that was asked of the former one";
  lag_.OnRefusal(kOther);
  TellHeartbeats(1);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
}

TEST_F(LagWatchTest, WhileASideIsAwayItIsTheTimeSinceTheLastProof) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  clock_.Move(seconds(5));
  EXPECT_THAT(Lag(true), Optional(seconds(5)));
  TellLogEnd(kEnd);
  clock_.Move(seconds(5));
  EXPECT_THAT(Lag(true), Optional(seconds(10)));
  EXPECT_THAT(Lag(), Optional(seconds(0)));
}

TEST_F(LagWatchTest, WhatIsReadAgainTakesTheProofAway) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd);
  EXPECT_THAT(Lag(), Optional(seconds(0)));
  clock_.Move(seconds(3));
  (void)Send({"binlog.000001", 1200}, Ago(seconds(1)));
  (void)tracker_.Restart();
  lag_.OnStartOver();
  EXPECT_THAT(Lag(), Optional(seconds(3)));
}

TEST_F(LagWatchTest, IsByTheServersClock) {
  const std::uint64_t server_us = clock_.WallMicroseconds() + 3'600'000'000;
  server_clock_.Set(server_us, clock_.Now());
  clock_.Move(seconds(2));
  (void)Send(kEnd, server_us - 5'000'000);
  EXPECT_THAT(Lag(), Optional(seconds(7)));
}

TEST_F(LagWatchTest, ACommitFromTheFutureIsAsOldAsItIsKnown) {
  (void)Send(kEnd, clock_.WallMicroseconds() + 3'600'000'000);
  EXPECT_THAT(Lag(), Optional(microseconds(1))) << "only a proof is 0";
  clock_.Move(seconds(20));
  EXPECT_THAT(Lag(), Optional(seconds(20)));
}

TEST_F(LagWatchTest, ATransactionWithoutATimeIsSinceTheLastProof) {
  tracker_.ReachPlace(kEnd);
  TellLogEnd(kEnd);
  (void)Lag();
  clock_.Move(seconds(3));
  (void)Send({"binlog.000001", 1200}, 0);
  EXPECT_THAT(Lag(), Optional(seconds(3)));
}

TEST_F(LagWatchTest, InAnInitialReadItIsTheTimeSinceThatBegan) {
  EXPECT_THAT(LagAfter(lag_.Facts(false, Ago(seconds(90)))), Optional(seconds(90)));
  EXPECT_EQ(LagAfter(lag_.Facts(false, 0)), std::nullopt) << "it is not known when that was";
  clock_.Move(seconds(5));
  EXPECT_THAT(Lag(), Optional(seconds(95))) << "behind it, until there is a proof";
}

}  // namespace
}  // namespace outboxd
