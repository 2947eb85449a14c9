#include "daemon/relay/source_retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using binlog::ErrorKind;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::chrono::seconds kTellInterval{10};

class SourceRetryTest : public ::testing::Test {
 protected:
  Result<Step> Fails(ErrorKind kind, const std::string& place = "binlog.000001:4") {
    return retry_.OnError({kind, "reason"}, place);
  }
  bool Waits(ErrorKind kind, const std::string& place = "binlog.000001:4") {
    const auto step = Fails(kind, place);
    return step && step->kind == Step::Kind::kPause && step->pause > milliseconds(0);
  }

  FakeClock clock_;
  CapturedLog log_;
  Outages outages_{clock_};
  SourceRetry retry_{clock_, outages_, {.tell_interval = kTellInterval}};
};

TEST_F(SourceRetryTest, WaitsForAServerThatIsAway) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Waits(ErrorKind::kDisconnected));
  EXPECT_EQ(log_.lines(), 100);
  EXPECT_THAT(log_.text(), HasSubstr("source: reason; trying again in "));
}

TEST_F(SourceRetryTest, WhatToDoStandsAtTheEnd) {
  ASSERT_TRUE(retry_.OnError({ErrorKind::kDisconnected, "reason", "start it"}, ""));
  EXPECT_THAT(log_.text(), HasSubstr("source: reason; trying again in "));
  EXPECT_THAT(log_.text(), HasSubstr(" ms HINT: start it\n"));
}

TEST_F(SourceRetryTest, WaitsLongerWithEachFailureUntilSomethingIsRead) {
  ASSERT_LE(Fails(ErrorKind::kDisconnected)->pause, milliseconds(100));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Waits(ErrorKind::kDisconnected));
  EXPECT_GE(Fails(ErrorKind::kDisconnected)->pause, milliseconds(7'500));
  retry_.Opened();
  EXPECT_GE(Fails(ErrorKind::kDisconnected)->pause, milliseconds(7'500)) << "nothing was read";
  retry_.Succeeded();
  EXPECT_LE(Fails(ErrorKind::kDisconnected)->pause, milliseconds(100));
}

TEST_F(SourceRetryTest, WaitsForRoomToHoldTransactionsAndNamesTheSettings) {
  EXPECT_TRUE(Waits(ErrorKind::kSpill));
  EXPECT_THAT(log_.text(), HasSubstr("HINT: relay.spill-directory and relay.spill-bytes-max"));
}

TEST_F(SourceRetryTest, HoldsAtWhatIsTooLargeForTheMemoryAndSaysWhatToRaise) {
  EXPECT_TRUE(Waits(ErrorKind::kTooLarge));
  EXPECT_THAT(log_.text(), HasSubstr("holding: what comes next, after"));
  EXPECT_THAT(log_.text(), HasSubstr("MemoryMax="));
  EXPECT_FALSE(outages_.source());
  EXPECT_TRUE(outages_.room());
}

TEST_F(SourceRetryTest, HasRoomAgainWhenSomethingWasRead) {
  EXPECT_TRUE(Waits(ErrorKind::kSpill));
  EXPECT_TRUE(outages_.room());
  retry_.Succeeded();
  EXPECT_FALSE(outages_.room());
}

TEST_F(SourceRetryTest, GoesOnAtOnceWhereAStopInterruptedIt) {
  const auto step = Fails(ErrorKind::kInterrupted);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Step::Kind::kGoOn);
  EXPECT_FALSE(outages_.source());
  EXPECT_EQ(log_.lines(), 0);
}

TEST_F(SourceRetryTest, EndsAtWhatNoWaitingMends) {
  const std::pair<ErrorKind, ExitCode> ends[] = {
      {ErrorKind::kUndecodable, ExitCode::kUndecodable},
      {ErrorKind::kGone, ExitCode::kGap},
      {ErrorKind::kDiverged, ExitCode::kDiverged},
      {ErrorKind::kReplaced, ExitCode::kOtherActive},
      {ErrorKind::kUnsuitable, ExitCode::kConfiguration},
      {ErrorKind::kEnd, ExitCode::kOk},
  };
  retry_.Opened();
  for (const auto& [kind, exit_code] : ends) {
    const auto step = Fails(kind);
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().kind, exit_code);
    EXPECT_EQ(step.error().message, "reason");
  }
}

TEST_F(SourceRetryTest, AnOperatorsFaultEndsTheStart) {
  EXPECT_EQ(Fails(ErrorKind::kDenied).error().kind, ExitCode::kDenied);
  EXPECT_EQ(Fails(ErrorKind::kHandshake).error().kind, ExitCode::kConfiguration);
}

TEST_F(SourceRetryTest, AnOperatorsFaultIsWaitedOutOnceTheSourceWasOpen) {
  retry_.Opened();
  EXPECT_TRUE(Waits(ErrorKind::kDenied));
  EXPECT_TRUE(Waits(ErrorKind::kHandshake));
}

TEST_F(SourceRetryTest, AnUnknownErrorEndsTheStart) {
  EXPECT_EQ(Fails(ErrorKind::kUnknown).error().kind, ExitCode::kConfiguration);
  EXPECT_EQ(Fails(ErrorKind::kUnknown).error().message, "reason");
}

TEST_F(SourceRetryTest, AnUnknownErrorIsWaitedOutOnceAHostHasAnswered) {
  SourceRetry prepared(clock_, outages_, {.has_answered = true});
  EXPECT_TRUE(prepared.OnError({ErrorKind::kUnknown, "reason"}, ""));
  retry_.Opened();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Waits(ErrorKind::kUnknown));
    clock_.Move(std::chrono::minutes(1));
  }
}

TEST_F(SourceRetryTest, AnUnknownErrorIsToldOnceEachIntervalWithItsAge) {
  retry_.Opened();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Waits(ErrorKind::kUnknown));
  EXPECT_EQ(log_.lines(), 1);
  EXPECT_THAT(log_.text(), HasSubstr("nothing could be read for 0 s, waiting until this has"
                                     " passed: reason\n"));
  clock_.Move(kTellInterval - milliseconds(1));
  EXPECT_TRUE(Waits(ErrorKind::kUnknown));
  EXPECT_EQ(log_.lines(), 1);
  clock_.Move(milliseconds(1));
  EXPECT_TRUE(Waits(ErrorKind::kUnknown));
  EXPECT_EQ(log_.lines(), 2);
  EXPECT_THAT(log_.text(), HasSubstr("for 10 s,"));
  clock_.Move(std::chrono::minutes(5));
  EXPECT_TRUE(Waits(ErrorKind::kUnknown));
  EXPECT_EQ(log_.lines(), 3);
  EXPECT_THAT(log_.text(), HasSubstr("for 5 min,"));
}

TEST_F(SourceRetryTest, ASourceThatOpensAndFailsAgainHasNotWorkedInBetween) {
  ASSERT_TRUE(Waits(ErrorKind::kDisconnected));
  const std::uint64_t since = outages_.source()->since_us;
  for (int i = 0; i < 20; ++i) {
    clock_.Move(std::chrono::seconds(15));
    retry_.Opened();
    EXPECT_FALSE(outages_.source());
    ASSERT_TRUE(Waits(ErrorKind::kUnknown));
    EXPECT_EQ(outages_.source()->since_us, since);
  }
  EXPECT_THAT(log_.text(), HasSubstr("for 5 min,"));
}

TEST_F(SourceRetryTest, AFailureIsANewOneBehindSomethingReadOrAMinuteOfSilence) {
  for (const bool reads : {true, false}) {
    ASSERT_TRUE(Waits(ErrorKind::kDisconnected));
    retry_.Opened();
    clock_.Move(std::chrono::seconds(reads ? 1 : 60));
    if (reads) retry_.Succeeded();
    ASSERT_TRUE(Waits(ErrorKind::kDisconnected));
    EXPECT_EQ(outages_.source()->since_us, clock_.WallMicroseconds()) << reads;
  }
}

TEST_F(SourceRetryTest, DamageIsReadAgainAndEndsAtTheThirdTimeInOnePlace) {
  EXPECT_TRUE(Waits(ErrorKind::kCorrupt));
  EXPECT_TRUE(Waits(ErrorKind::kCorrupt));
  const auto step = Fails(ErrorKind::kCorrupt);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().kind, ExitCode::kUndecodable);
  EXPECT_THAT(step.error().ToText(), HasSubstr("reason (read 3 times) HINT: 'outboxd inspect"
                                               " --server --from file:binlog.000001:4'"));
}

TEST_F(SourceRetryTest, DamageThatSaysWhatToDoKeepsItsOwnHint) {
  const auto fails = [this] {
    return retry_.OnError({ErrorKind::kCorrupt, "reason", "what to do"}, "binlog.000001:9");
  };
  EXPECT_TRUE(fails());
  EXPECT_THAT(log_.text(), HasSubstr("source: reason; reading it again in "));
  EXPECT_TRUE(fails());
  EXPECT_EQ(fails().error().ToText(), "reason (read 3 times) HINT: what to do");
}

TEST_F(SourceRetryTest, DamageInAnotherPlaceCountsFromTheBeginning) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Waits(ErrorKind::kCorrupt, "binlog.000001:4"));
    EXPECT_TRUE(Waits(ErrorKind::kCorrupt, "binlog.000001:400"));
  }
}

TEST_F(SourceRetryTest, DamageBehindSomethingReadCountsFromTheBeginning) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Waits(ErrorKind::kCorrupt));
    EXPECT_TRUE(Waits(ErrorKind::kCorrupt));
    retry_.Succeeded();
  }
}

TEST_F(SourceRetryTest, ADisconnectBetweenDoesNotMendTheDamage) {
  EXPECT_TRUE(Waits(ErrorKind::kCorrupt));
  EXPECT_TRUE(Waits(ErrorKind::kDisconnected));
  retry_.Opened();
  EXPECT_TRUE(Waits(ErrorKind::kCorrupt));
  EXPECT_FALSE(Fails(ErrorKind::kCorrupt));
}

TEST_F(SourceRetryTest, AFailureIsAnOutageUntilTheSourceIsOpen) {
  ASSERT_TRUE(Waits(ErrorKind::kDisconnected));
  ASSERT_TRUE(outages_.source());
  EXPECT_EQ(outages_.source()->reason, "reason");
  retry_.Opened();
  EXPECT_FALSE(outages_.source());
}

}  // namespace
}  // namespace outboxd
