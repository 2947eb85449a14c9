#include "daemon/relay/outages.h"

#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

class OutagesTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  Outages outages_{clock_};
};

TEST_F(OutagesTest, ThereAreNoneAtFirst) {
  EXPECT_FALSE(outages_.source());
  EXPECT_FALSE(outages_.sink());
}

TEST_F(OutagesTest, EachSideHasItsOwn) {
  outages_.SourceFails("refused");
  EXPECT_FALSE(outages_.sink());
  outages_.SinkFails("no broker");
  outages_.SourceAnswers();
  EXPECT_FALSE(outages_.source());
  ASSERT_TRUE(outages_.sink());
  EXPECT_EQ(outages_.sink()->reason, "no broker");
}

TEST_F(OutagesTest, BeginsWithTheFirstFailureAndTellsTheLastReason) {
  outages_.SourceFails("first");
  const std::uint64_t begun = clock_.WallMicroseconds();
  clock_.Move(std::chrono::seconds(5));
  outages_.SourceFails("second");
  EXPECT_EQ(outages_.source(), (Outage{begun, "second"}));
}

TEST_F(OutagesTest, AnOutageAfterAnAnswerIsANewOne) {
  outages_.SourceFails("first");
  outages_.SourceAnswers();
  clock_.Move(std::chrono::seconds(5));
  outages_.SourceFails("second");
  EXPECT_EQ(outages_.source(), (Outage{clock_.WallMicroseconds(), "second"}));
}

TEST_F(OutagesTest, ASourceThatAnswersMayBeCutOff) {
  outages_.SourceIsCutOff("it left");
  outages_.SourceAnswers();
  EXPECT_FALSE(outages_.source());
  ASSERT_TRUE(outages_.cut_off());
  EXPECT_EQ(outages_.cut_off()->reason, "it left");
  outages_.SourceIsNotCutOff();
  EXPECT_FALSE(outages_.cut_off());
}

TEST_F(OutagesTest, ASilentSinkIsAnOutageUntilItAcknowledges) {
  outages_.SinkIsSilent("silent");
  outages_.SinkAnswers();
  ASSERT_TRUE(outages_.sink());
  EXPECT_EQ(outages_.sink()->reason, "silent");
  outages_.SinkAcknowledges();
  EXPECT_FALSE(outages_.sink());
}

TEST_F(OutagesTest, ThatTheSinkCannotBeOpenedIsToldBeforeItsSilence) {
  outages_.SinkIsSilent("silent");
  outages_.SinkFails("no broker");
  EXPECT_EQ(outages_.sink()->reason, "no broker");
}

}  // namespace
}  // namespace outboxd
