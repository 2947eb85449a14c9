#include "tests/sim/injected_bugs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "tests/sim/lag_bugs.h"
#include "tests/sim/read_bugs.h"
#include "tests/sim/simulation_run.h"

namespace outboxd::sim {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

// Four times what the rarest of them takes.
constexpr std::uint64_t kSeedsMax = 3000;
// The same of one that takes a transaction to be committed late in many steps.
constexpr std::uint64_t kRareSeedsMax = 40'000;

// The simulator finds the bugs that it is there for.
class InjectedBugTest : public ::testing::Test {
 protected:
  InjectedBugTest() { spdlog::set_level(spdlog::level::off); }
  ~InjectedBugTest() override { spdlog::set_level(spdlog::level::info); }

  // What the first seed that fails says.
  template <typename Bug>
  static std::string Caught(Scenario scenario, std::uint64_t seeds_max = kSeedsMax) {
    scenario.checks_lag = false;
    return RunSeeds(scenario, {.count = seeds_max}, [] { return std::make_unique<Bug>(); }).failure;
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

TEST_F(InjectedBugTest, ANewProducerThatForgetsWhatIsInFlight) {
  EXPECT_THAT(Caught<RenewalWithoutWaiting>({.renews_producer = true}),
              AnyOf(HasSubstr("is not delivered"), HasSubstr("comes before")));
}

TEST_F(InjectedBugTest, ANewProducerThatSendsAgainWithoutNeed) {
  EXPECT_THAT(Caught<RenewalByLoss>({.renews_producer = true, .repeats_nothing = true}),
              HasSubstr("comes more than once"));
}

TEST_F(InjectedBugTest, ADeadLetterThatIsNotWaitedFor) {
  EXPECT_THAT(Caught<UnansweredDeadLetter>({.has_bad_events = true, .has_dead_letters = true}),
              HasSubstr("which is not delivered"));
}

TEST_F(InjectedBugTest, AFailoverWhoseLossGoesUnnoticed) {
  EXPECT_THAT(Caught<UnnoticedLoss>({.reads_by_file = false, .fails_over = true}),
              HasSubstr("that its server does not have"));
}

constexpr Scenario kKeeps = {.rates = {.crash = 60, .lost_producer = 20},
                             .keeps_checkpoints = true};

TEST_F(InjectedBugTest, ACheckpointInTheSinkThatIsIgnored) {
  EXPECT_THAT(Caught<IgnoredCheckpoint>(kKeeps), HasSubstr("comes more than once"));
}

TEST_F(InjectedBugTest, APartOfATransactionThatIsForgotten) {
  EXPECT_THAT(Caught<ForgottenPart>(kKeeps), HasSubstr("comes more than once"));
}

TEST_F(InjectedBugTest, APartOfATransactionWhoseLossGoesUnnoticed) {
  EXPECT_THAT(Caught<UnnoticedLossOfPart>({.rates = {.crash = 12, .lost_producer = 10},
                                           .reads_by_file = false,
                                           .fails_over = true,
                                           .keeps_checkpoints = true},
                                          kRareSeedsMax),
              AnyOf(HasSubstr("that it was lost is not told"), HasSubstr("keeps a part of")));
}

TEST_F(InjectedBugTest, APartOfATransactionThatIsOneRowTooLong) {
  EXPECT_THAT(Caught<PartOfOneRowMore>(kKeeps), HasSubstr("not delivered"));
}

TEST_F(InjectedBugTest, ACheckpointInTheSinkThatIsTheOneBefore) {
  EXPECT_NE(Caught<StaleBoundary>(kKeeps), "");
}

// The lag.
class InjectedLagBugTest : public InjectedBugTest {
 protected:
  template <typename Bug>
  static std::string Caught(const Scenario& scenario) {
    return RunSeeds(scenario, {.count = kSeedsMax}, [] { return std::make_unique<Bug>(); }).failure;
  }
};

TEST_F(InjectedLagBugTest, AHeartbeatThatProvesAlone) {
  EXPECT_THAT(Caught<OneHeartbeatIsEnough>(
                  {.rates = {.crash = 60, .disconnect = 10}, .reads_by_file = false}),
              HasSubstr("the lag is told to be"));
}

TEST_F(InjectedLagBugTest, AnEndOfTheLogThatIsTheOneBefore) {
  EXPECT_THAT(Caught<AroundProbe<StaleLogEndProbe>>({}), HasSubstr("the lag is told to be 0"));
}

TEST_F(InjectedLagBugTest, AReplicaThatIsTakenForItsSource) {
  EXPECT_THAT(
      Caught<AroundProbe<ReplicaIsItsSourceProbe>>({.reads_by_file = false, .fails_over = true}),
      HasSubstr("the lag is told to be"));
}

TEST_F(InjectedLagBugTest, AClockThatIsBehind) {
  EXPECT_THAT(Caught<AroundProbe<LateClockProbe>>({}), HasSubstr("the lag is told to be"));
}

// The same for the read of a table, under the relay.
constexpr Scenario kReads = {
    .has_xa = true,
    .reads_tables = true,
    .row_changes = {.deletes = true, .moves = true, .updates = true, .replaces = true},
    .transactions_max = 24};

TEST_F(InjectedBugTest, AnEndOfTheLogFromBeforeTheChunk) {
  EXPECT_NE(Caught<EndBeforeChunk>(kReads), "");
}

TEST_F(InjectedBugTest, AnEndOfTheLogThatIsOnlyWhatIsExecuted) {
  EXPECT_NE(Caught<EndOfWhatIsExecuted>(kReads), "");
}

TEST_F(InjectedBugTest, KeysThatAreComparedAsText) {
  EXPECT_NE(Caught<KeysComparedAsText>(kReads), "");
}

TEST_F(InjectedBugTest, AReadThatDoesNotWait) {
  // Only positions by file need it.
  Scenario by_file = kReads;
  by_file.reads_by_gtid = false;
  EXPECT_NE(Caught<ReadsThatDoNotWait>(by_file, kRareSeedsMax), "");
}

TEST_F(InjectedBugTest, AReadThatDoesNotAskForPreparedTransactions) {
  EXPECT_NE(Caught<PreparedIsNotWaitedFor>(kReads), "");
}

// One seed in 59 finds it.
TEST_F(InjectedBugTest, AnAnswerThatIsRefusedIsTakenForNothingPrepared) {
  Scenario scenario = kReads;
  scenario.hides_prepared_xa = true;
  EXPECT_THAT(Caught<PreparedIsNotWaitedFor>(scenario), HasSubstr("is missed without a word"));
}

TEST_F(InjectedBugTest, BeforeImagesThatAreIgnored) {
  EXPECT_NE(Caught<BeforeImagesIgnored>(kReads), "");
}

// One seed in 54 finds it. Without updates: they would make the ledger forget just as well, and
// leave the row in the table for any chunk to meet.
TEST_F(InjectedBugTest, AKeyThatIsForgottenWhenItsRowIsDeletedOrMoved) {
  Scenario scenario = kReads;
  scenario.row_changes = {.deletes = true, .moves = true};
  EXPECT_THAT(Caught<KeyForgotten>(scenario), HasSubstr("which is that of the stream"));
}

TEST_F(InjectedBugTest, ARowThatTheLogHasAPartOfAndNobodyTellsOf) {
  Scenario scenario = kReads;
  scenario.row_changes = {.deletes = true};
  scenario.has_partial_images = true;
  EXPECT_THAT(Caught<PartsPassedOver>(scenario), HasSubstr("is missed without a word"));
}

TEST_F(InjectedBugTest, ARowOfTheReadThatIsDoneOnceItIsHandedOver) {
  EXPECT_THAT(Caught<HandOverIsEnough>(kReads), HasSubstr("is not delivered"));
}

}  // namespace
}  // namespace outboxd::sim
