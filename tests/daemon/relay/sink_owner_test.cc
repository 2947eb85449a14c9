#include "daemon/relay/sink_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class SinkOwnerTest : public ::testing::Test {
 protected:
  void FailWith(sinks::ErrorKind kind) { sink_.open_error = sinks::Error{kind, "reason"}; }
  bool Waits() {
    const auto step = owner_.Open();
    return step && step->kind == Step::Kind::kPause && step->pause > milliseconds(0);
  }
  bool Opens() {
    const auto step = owner_.Open();
    return step && step->kind == Step::Kind::kGoOn && owner_.is_open();
  }

  FakeClock clock_;
  CapturedLog log_;
  FakeSink sink_;
  Liveness liveness_{clock_};
  Outages outages_{clock_};
  SinkOwner owner_{sink_, FakeSink::kWords, liveness_, outages_, clock_, milliseconds(3'000)};
};

TEST_F(SinkOwnerTest, OpensAndKnowsTheCluster) {
  EXPECT_FALSE(owner_.is_open());
  EXPECT_TRUE(Opens());
  EXPECT_EQ(owner_.identity(), "cluster");
  EXPECT_THAT(log_.text(), HasSubstr("connected to Kafka cluster cluster"));
}

TEST_F(SinkOwnerTest, TellsTheClusterOnceForEachOutage) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Opens());
    owner_.Close();
  }
  EXPECT_EQ(log_.lines(), 1);
  FailWith(sinks::ErrorKind::kUnreachable);
  ASSERT_TRUE(Waits());
  sink_.open_error.reset();
  ASSERT_TRUE(Opens());
  EXPECT_EQ(log_.lines(), 3) << log_.text();
}

TEST_F(SinkOwnerTest, WhatToDoStandsAtTheEnd) {
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "reason", "start it"};
  ASSERT_TRUE(Waits());
  EXPECT_THAT(log_.text(), HasSubstr("sink: reason; trying again in "));
  EXPECT_THAT(log_.text(), HasSubstr(" ms HINT: start it\n"));
}

TEST_F(SinkOwnerTest, ExpectsTheAnswerWithinTwiceTheTimeout) {
  EXPECT_TRUE(Opens());
  EXPECT_EQ(liveness_.quiet_until(), clock_.Now() + milliseconds(6'000));
}

TEST_F(SinkOwnerTest, WaitsLongerEachTimeForServersThatAreAway) {
  FailWith(sinks::ErrorKind::kUnreachable);
  ASSERT_LE(owner_.Open()->pause, milliseconds(100));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Waits());
  EXPECT_GE(owner_.Open()->pause, milliseconds(7'500));
  EXPECT_FALSE(owner_.is_open());
  ASSERT_TRUE(outages_.sink());
  EXPECT_EQ(outages_.sink()->reason, "reason");
}

TEST_F(SinkOwnerTest, TheOutageEndsWhenItOpens) {
  FailWith(sinks::ErrorKind::kUnreachable);
  ASSERT_TRUE(Waits());
  sink_.open_error.reset();
  ASSERT_TRUE(Opens());
  EXPECT_FALSE(outages_.sink());
}

TEST_F(SinkOwnerTest, AnOperatorsFaultEndsTheStart) {
  FailWith(sinks::ErrorKind::kDenied);
  EXPECT_EQ(owner_.Open().error().kind, ExitCode::kDenied);
  FailWith(sinks::ErrorKind::kConfiguration);
  EXPECT_EQ(owner_.Open().error().kind, ExitCode::kConfiguration);
}

TEST_F(SinkOwnerTest, AnOperatorsFaultIsWaitedOutOnceItWasOpen) {
  ASSERT_TRUE(Opens());
  owner_.Close();
  FailWith(sinks::ErrorKind::kDenied);
  EXPECT_TRUE(Waits());
  FailWith(sinks::ErrorKind::kConfiguration);
  EXPECT_TRUE(Waits());
}

TEST_F(SinkOwnerTest, RefusesAnotherClusterThanTheCheckpoints) {
  owner_.Expect("another");
  const auto step = owner_.Open();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().kind, ExitCode::kCheckpoint);
  EXPECT_THAT(step.error().message, HasSubstr("cluster another, but"));
  EXPECT_FALSE(owner_.is_open());
  EXPECT_EQ(sink_.closed, 1);
}

TEST_F(SinkOwnerTest, RefusesAnotherClusterThanItFoundFirst) {
  ASSERT_TRUE(Opens());
  owner_.Close();
  sink_.identity = "another";
  EXPECT_EQ(owner_.Open().error().kind, ExitCode::kCheckpoint);
}

TEST_F(SinkOwnerTest, CloseClosesTheSink) {
  ASSERT_TRUE(Opens());
  owner_.Close();
  EXPECT_FALSE(owner_.is_open());
  EXPECT_EQ(sink_.closed, 1);
}

TEST_F(SinkOwnerTest, TroublesWithoutADeliveryBetweenThemAreWaitedOutLongerAndLonger) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Opens());
    ASSERT_EQ(owner_.PauseAfterTrouble(0).kind, Step::Kind::kPause);
    owner_.Close();
  }
  EXPECT_GE(owner_.PauseAfterTrouble(0).pause, milliseconds(7'500));
}

TEST_F(SinkOwnerTest, ADeliveryBetweenTwoTroublesShortensThePause) {
  for (int i = 0; i < 10; ++i) (void)owner_.PauseAfterTrouble(0);
  EXPECT_LE(owner_.PauseAfterTrouble(1).pause, milliseconds(100));
}

}  // namespace
}  // namespace outboxd
