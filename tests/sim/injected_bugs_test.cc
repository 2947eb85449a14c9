#include "tests/sim/injected_bugs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "tests/sim/simulation_run.h"

namespace outboxd::sim {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

// Four times what the rarest of them takes.
constexpr std::uint64_t kSeedsMax = 3000;

// The simulator finds the bugs that it is there for.
class InjectedBugTest : public ::testing::Test {
 protected:
  InjectedBugTest() { spdlog::set_level(spdlog::level::off); }
  ~InjectedBugTest() override { spdlog::set_level(spdlog::level::info); }

  // What the first seed that fails says.
  template <typename Bug>
  static std::string Caught(const Scenario& scenario) {
    return RunSeeds(scenario, {.count = kSeedsMax}, [] { return std::make_unique<Bug>(); }).failure;
  }
};

TEST_F(InjectedBugTest, AGtidThatCountsFromItsOwnEventOn) {
  // Whether or not it had rows, the checkpoint never gets to it.
  EXPECT_THAT(Caught<EarlyGtid>({.rates = {.disconnect = 20}, .reads_by_file = false}),
              AnyOf(HasSubstr("is not delivered"), HasSubstr("is not covered")));
}

TEST_F(InjectedBugTest, ATransactionThatIsDoneAfterItsFirstRow) {
  EXPECT_THAT(Caught<FirstRowIsEnough>({}), HasSubstr("which is not delivered"));
}

TEST_F(InjectedBugTest, ACheckpointAheadOfAcknowledgements) {
  EXPECT_THAT(Caught<CheckpointOfWhatWasRead>({.reads_by_file = false}),
              HasSubstr("which is not delivered"));
}

TEST_F(InjectedBugTest, ARotationThatIsLost) {
  EXPECT_THAT(Caught<LostRotation>({.reads_by_gtid = false}), HasSubstr("no boundary"));
}

TEST_F(InjectedBugTest, ARetryThatIsDropped) {
  EXPECT_THAT(Caught<DroppedRetry>({}), HasSubstr("found no room"));
}

TEST_F(InjectedBugTest, AReplayThatIsLeftOut) {
  EXPECT_THAT(Caught<NoReplay>({.rates = {.lost_producer = 20}, .reads_by_file = false}),
              HasSubstr("not delivered"));
}

TEST_F(InjectedBugTest, ADeadLetterThatIsNotWaitedFor) {
  EXPECT_THAT(Caught<UnansweredDeadLetter>({.has_bad_events = true, .has_dead_letters = true}),
              HasSubstr("which is not delivered"));
}

TEST_F(InjectedBugTest, AFailoverWhoseLossGoesUnnoticed) {
  EXPECT_THAT(Caught<UnnoticedLoss>({.reads_by_file = false, .fails_over = true}),
              HasSubstr("that its server does not have"));
}

}  // namespace
}  // namespace outboxd::sim
