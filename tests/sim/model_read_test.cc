#include "tests/sim/model_read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "tests/sim/read_bugs.h"

namespace outboxd::sim {
namespace {

constexpr std::uint64_t kSeeds = 1500;
constexpr std::uint64_t kSeedsToFindBug = 3000;

Scenario Reads() {
  return {.has_xa = true,
          .has_torn_files = true,
          .reads_tables = true,
          .row_changes = {.deletes = true, .moves = true, .updates = true, .replaces = true},
          .transactions_max = 40};
}

struct Failure {
  std::uint64_t seed = 0;
  std::string what;
};

// The first seed that fails, with its trace; empty: none does.
std::string FirstFailure(const Scenario& scenario, std::uint64_t seeds,
                         const ModelRead::MakeInterposer& make = nullptr,
                         ModelRead::Bugs bugs = {}) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
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
  return FirstFailure(scenario, kSeedsToFindBug, [] { return std::make_unique<Bug>(); });
}

// The rule holds in the simulated world.

TEST(ModelReadTest, EveryRowComesOnceWithoutFaults) {
  EXPECT_EQ(FirstFailure(Reads(), kSeeds), "");
}

TEST(ModelReadTest, EveryRowComesThroughCrashesAndDisconnects) {
  Scenario scenario = Reads();
  scenario.rates = {
      .crash = 60, .disconnect = 60, .source_open = 10, .table_open = 10, .table_disconnect = 40};
  EXPECT_EQ(FirstFailure(scenario, kSeeds), "");
}

TEST(ModelReadTest, EveryRowComesThoughTheTableIsTruncatedAndAltered) {
  Scenario scenario = Reads();
  scenario.has_table_ddl = true;
  EXPECT_EQ(FirstFailure(scenario, kSeeds), "");
}

// And the checker finds what breaks it.

TEST(ModelReadTest, FindsAnEndOfTheLogFromBeforeTheChunk) {
  EXPECT_NE(Caught<EndBeforeChunk>(Reads()), "");
}

TEST(ModelReadTest, FindsAnEndOfTheLogThatIsOnlyWhatIsExecuted) {
  EXPECT_NE(Caught<EndOfWhatIsExecuted>(Reads()), "");
}

TEST(ModelReadTest, FindsKeysThatAreComparedAsText) {
  EXPECT_NE(Caught<KeysComparedAsText>(Reads()), "");
}

TEST(ModelReadTest, FindsReadsThatDoNotWait) { EXPECT_NE(Caught<ReadsThatDoNotWait>(Reads()), ""); }

TEST(ModelReadTest, FindsThatPreparedTransactionsAreNotWaitedFor) {
  EXPECT_NE(Caught<PreparedIsNotWaitedFor>(Reads()), "");
}

TEST(ModelReadTest, FindsBeforeImagesThatAreIgnored) {
  EXPECT_NE(Caught<BeforeImagesIgnored>(Reads()), "");
}

TEST(ModelReadTest, FindsKeysThatAreForgotten) {
  EXPECT_NE(FirstFailure(Reads(), kSeedsToFindBug, nullptr, {.forgets_keys = true}), "");
}

}  // namespace
}  // namespace outboxd::sim
