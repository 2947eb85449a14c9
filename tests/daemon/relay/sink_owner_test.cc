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
  // A message is on its way and arrives.
  void Deliver() {
    tracker_.Begin();
    tracker_.Acknowledge(tracker_.NextId());
  }

  FakeClock clock_;
  CapturedLog log_;
  FakeSink sink_;
  DeliveryTracker tracker_{Progress{}};
  Liveness liveness_{clock_};
  Outages outages_{clock_};
  SinkOwner owner_{sink_, tracker_, liveness_, outages_, clock_, milliseconds(3'000)};
};

TEST_F(SinkOwnerTest, OpensAndTellsTheTrackerTheCluster) {
  EXPECT_FALSE(owner_.is_open());
  EXPECT_TRUE(Opens());
  EXPECT_EQ(tracker_.progress().sink, "cluster");
  EXPECT_THAT(log_.text(), HasSubstr("connected to Kafka cluster cluster"));
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
  EXPECT_EQ(owner_.Open().error().exit_code, ExitCode::kDenied);
  FailWith(sinks::ErrorKind::kConfiguration);
  EXPECT_EQ(owner_.Open().error().exit_code, ExitCode::kConfiguration);
}

TEST_F(SinkOwnerTest, AnOperatorsFaultIsWaitedOutOnceItWasOpen) {
  ASSERT_TRUE(Opens());
  owner_.Close();
  FailWith(sinks::ErrorKind::kDenied);
  EXPECT_TRUE(Waits());
  FailWith(sinks::ErrorKind::kConfiguration);
  EXPECT_TRUE(Waits());
}

TEST_F(SinkOwnerTest, RefusesAnotherClusterThanTheCheckpointsAlsoLater) {
  ASSERT_TRUE(Opens());
  owner_.Close();
  tracker_.SetSink("another");
  const auto step = owner_.Open();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().exit_code, ExitCode::kCheckpoint);
  EXPECT_THAT(step.error().message, HasSubstr("cluster another, but"));
  EXPECT_FALSE(owner_.is_open());
  EXPECT_EQ(tracker_.progress().sink, "another");
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
    ASSERT_EQ(owner_.PauseAfterTrouble().kind, Step::Kind::kPause);
    owner_.Close();
  }
  EXPECT_GE(owner_.PauseAfterTrouble().pause, milliseconds(7'500));
}

TEST_F(SinkOwnerTest, ADeliveryBetweenTwoTroublesShortensThePause) {
  for (int i = 0; i < 10; ++i) (void)owner_.PauseAfterTrouble();
  Deliver();
  EXPECT_LE(owner_.PauseAfterTrouble().pause, milliseconds(100));
}

}  // namespace
}  // namespace outboxd
