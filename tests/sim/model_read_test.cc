#include "tests/sim/model_read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/sim/read_bugs.h"
#include "tests/sim/simulation_run.h"

namespace outboxd::sim {
namespace {

using testing::HasSubstr;

// Some hundred times what the rarest bug takes.
constexpr std::uint64_t kSeedsToFindBug = 3000;
constexpr SeedsBound kGuarantees = {.seconds = 0.4};

Scenario Reads() {
  return {.has_xa = true,
          .has_torn_files = true,
          .reads_tables = true,
          .row_changes = {.deletes = true, .moves = true, .updates = true, .replaces = true},
          .transactions_max = 40};
}

// The first seed that fails, with its trace; empty: none does.
std::string FirstFailure(const Scenario& scenario, const SeedsBound& bound,
                         const ModelRead::MakeInterposer& make = nullptr,
                         ModelRead::Bugs bugs = {}) {
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::duration<double> seconds(bound.seconds);
  for (std::uint64_t seed = 1; seed <= bound.count; ++seed) {
    if (std::chrono::steady_clock::now() - begin > seconds) break;
    if (!ModelRead(scenario, seed, false, make, bugs).Run()) continue;
    ModelRead again(scenario, seed, true, make, bugs);
    std::string text = fmt::format("seed {}: {}\n", seed, again.Run().value_or("nothing"));
    for (const std::string& line : again.trace()) text += "  " + line + "\n";
    return text;
  }
  return "";
}

template <typename Bug>
std::string Caught(Scenario scenario) {
  return FirstFailure(scenario, {.count = kSeedsToFindBug}, [] { return std::make_unique<Bug>(); });
}

// The rule holds in the simulated world.

TEST(ModelReadTest, EveryRowComesOnceWithoutFaults) {
  EXPECT_EQ(FirstFailure(Reads(), kGuarantees), "");
}

TEST(ModelReadTest, EveryRowComesThroughCrashesAndDisconnects) {
  Scenario scenario = Reads();
  scenario.rates = {
      .crash = 60, .disconnect = 60, .source_open = 10, .table_open = 10, .table_disconnect = 40};
  EXPECT_EQ(FirstFailure(scenario, kGuarantees), "");
}

TEST(ModelReadTest, EveryRowComesThoughTheTableIsTruncatedAndAltered) {
  Scenario scenario = Reads();
  scenario.has_table_ddl = true;
  EXPECT_EQ(FirstFailure(scenario, kGuarantees), "");
}

// And the checker finds what breaks it.

TEST(ModelReadTest, FindsAnEndOfTheLogFromBeforeTheChunk) {
  EXPECT_THAT(Caught<EndBeforeChunk>(Reads()), HasSubstr("is beyond event"));
}

TEST(ModelReadTest, FindsAnEndOfTheLogThatIsOnlyWhatIsExecuted) {
  EXPECT_THAT(Caught<EndOfWhatIsExecuted>(Reads()), HasSubstr("that of the stream"));
}

TEST(ModelReadTest, FindsKeysThatAreComparedAsText) {
  EXPECT_THAT(Caught<KeysComparedAsText>(Reads()), HasSubstr("is beyond event"));
}

TEST(ModelReadTest, FindsReadsThatDoNotWait) {
  EXPECT_THAT(Caught<ReadsThatDoNotWait>(Reads()), HasSubstr("was not there"));
}

TEST(ModelReadTest, FindsThatPreparedTransactionsAreNotWaitedFor) {
  EXPECT_THAT(Caught<PreparedIsNotWaitedFor>(Reads()), HasSubstr("is beyond event"));
}

TEST(ModelReadTest, FindsBeforeImagesThatAreIgnored) {
  EXPECT_THAT(Caught<BeforeImagesIgnored>(Reads()), HasSubstr("that of the stream"));
}

TEST(ModelReadTest, FindsKeysThatAreForgotten) {
  EXPECT_THAT(FirstFailure(Reads(), {.count = kSeedsToFindBug}, nullptr, {.forgets_keys = true}),
              HasSubstr("that of the stream"));
}

}  // namespace
}  // namespace outboxd::sim
