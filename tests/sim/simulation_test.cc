#include "tests/sim/simulation.h"

#include <gtest/gtest.h>

#include <spdlog/spdlog.h>

#include "tests/sim/simulation_run.h"

namespace outboxd::sim {
namespace {

constexpr double kSeconds = 0.4;

// Every guarantee holds in every history of a family.
class SimulationTest : public ::testing::Test {
 protected:
  SimulationTest() { spdlog::set_level(spdlog::level::off); }
  ~SimulationTest() override { spdlog::set_level(spdlog::level::info); }

  static void ExpectGuarantees(const Scenario& scenario) {
    EXPECT_EQ(RunSeeds(scenario, {.seconds = kSeconds}).failure, "");
  }
};

TEST_F(SimulationTest, WithoutFaults) {
  ExpectGuarantees({.has_torn_files = true, .is_compressed = true, .stops = true});
}

TEST_F(SimulationTest, TheSourceFails) {
  ExpectGuarantees({.rates = {.disconnect = 12, .corrupt = 12, .source_open = 4},
                    .has_xa = true,
                    .has_torn_files = true});
}

TEST_F(SimulationTest, TheSinkFails) {
  ExpectGuarantees({.rates = {.sink_open = 4, .lost_producer = 12, .unreachable_topic = 8}});
}

TEST_F(SimulationTest, TheProcessCrashesAndTheDiskFails) {
  ExpectGuarantees(
      {.rates = {.crash = 60, .disk_call = 12, .short_write = 4}, .purges = true, .stops = true});
}

TEST_F(SimulationTest, XaTransactionsStayOpenAcrossCrashes) {
  ExpectGuarantees({.rates = {.crash = 80, .disconnect = 40, .lost_producer = 20},
                    .switches_to_gtid = true,
                    .has_xa = true,
                    .spills = true});
}

TEST_F(SimulationTest, AnotherServerTakesOver) {
  ExpectGuarantees({.rates = {.crash = 120, .disconnect = 30, .lost_producer = 30},
                    .fails_over = true,
                    .has_xa = true});
}

constexpr FaultRates kAroundBoundaries = {
    .crash = 60, .disconnect = 30, .sink_open = 6, .lost_producer = 8, .disk_call = 20};

TEST_F(SimulationTest, NothingComesTwiceWhereTheSinkKeepsTheCheckpoint) {
  ExpectGuarantees({.rates = kAroundBoundaries, .stops = true, .keeps_checkpoints = true});
}

// By file a position cannot tell what is done behind a transaction that is prepared: it is read
// again.
TEST_F(SimulationTest, NothingComesTwiceByGtidThoughXaTransactionsAreOpen) {
  ExpectGuarantees({.rates = kAroundBoundaries,
                    .reads_by_file = false,
                    .has_xa = true,
                    .stops = true,
                    .keeps_checkpoints = true});
}

TEST_F(SimulationTest, NothingComesTwiceByGtidThoughAnotherServerTakesOver) {
  ExpectGuarantees({.rates = {.crash = 12, .disconnect = 30, .lost_producer = 10, .disk_call = 20},
                    .reads_by_file = false,
                    .fails_over = true,
                    .stops = true,
                    .keeps_checkpoints = true});
}

TEST_F(SimulationTest, ANewProducerRepeatsNothing) {
  ExpectGuarantees({.has_xa = true, .renews_producer = true, .repeats_nothing = true});
}

TEST_F(SimulationTest, ANewProducerIsAskedForThroughFaults) {
  ExpectGuarantees({.rates = {.crash = 120,
                              .disconnect = 40,
                              .sink_open = 4,
                              .lost_producer = 20,
                              .unreachable_topic = 12},
                    .has_bad_events = true,
                    .has_dead_letters = true,
                    .stops = true,
                    .renews_producer = true});
}

TEST_F(SimulationTest, ANewProducerIsAskedForWhereTheSinkKeepsTheCheckpoint) {
  ExpectGuarantees({.rates = kAroundBoundaries,
                    .stops = true,
                    .renews_producer = true,
                    .keeps_checkpoints = true});
}

TEST_F(SimulationTest, ANewProducerIsAskedForWhileATableIsRead) {
  ExpectGuarantees({.rates = {.crash = 150,
                              .disconnect = 60,
                              .sink_open = 10,
                              .lost_producer = 40,
                              .table_disconnect = 30},
                    .has_xa = true,
                    .stops = true,
                    .renews_producer = true,
                    .reads_tables = true,
                    .row_changes = {.deletes = true, .moves = true, .updates = true},
                    .transactions_max = 24});
}

TEST_F(SimulationTest, FilesArePurged) {
  ExpectGuarantees({.rates = {.crash = 80, .disconnect = 30, .lost_producer = 30, .disk_call = 20},
                    .switches_to_gtid = true,
                    .purges = true,
                    .purges_unread = true,
                    .has_xa = true});
}

TEST_F(SimulationTest, PayloadsAreCompressedAndEventsLarge) {
  ExpectGuarantees({.rates = {.crash = 120, .disconnect = 30, .corrupt = 30, .lost_producer = 30},
                    .has_xa = true,
                    .is_compressed = true,
                    .has_large_events = true,
                    .spills = true});
}

TEST_F(SimulationTest, EventsAreBadAndHealOrAreSkipped) {
  ExpectGuarantees(
      {.rates = {.crash = 150, .sink_open = 6, .lost_producer = 40}, .has_bad_events = true});
}

TEST_F(SimulationTest, BadEventsBecomeDeadLetters) {
  ExpectGuarantees({.rates = {.crash = 150, .sink_open = 6, .lost_producer = 40},
                    .has_bad_events = true,
                    .has_dead_letters = true,
                    .stops = true});
}

TEST_F(SimulationTest, StatementsRaiseAlarms) {
  ExpectGuarantees({.rates = {.crash = 80, .disconnect = 30}, .has_statements = true});
}

TEST_F(SimulationTest, RowsAreDeletedMovedAndReplaced) {
  ExpectGuarantees(
      {.rates = {.crash = 120, .disconnect = 40, .lost_producer = 40},
       .fails_over = true,
       .has_xa = true,
       .has_torn_files = true,
       .is_compressed = true,
       .row_changes = {.deletes = true, .moves = true, .updates = true, .replaces = true},
       .has_table_ddl = true});
}

constexpr RowChangeDraw::Kinds kAllRowChanges = {
    .deletes = true, .moves = true, .updates = true, .replaces = true};

TEST_F(SimulationTest, ATableIsReadWithoutFaults) {
  ExpectGuarantees({.reads_tables = true, .row_changes = kAllRowChanges, .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadWhileXaTransactionsAreOpen) {
  ExpectGuarantees({.has_xa = true,
                    .has_torn_files = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadThoughNobodyMayAskForPreparedTransactions) {
  ExpectGuarantees({.rates = {.crash = 150,
                              .disconnect = 60,
                              .lost_producer = 40,
                              .disk_call = 40,
                              .table_disconnect = 60},
                    .has_xa = true,
                    .hides_prepared_xa = true,
                    .has_torn_files = true,
                    .stops = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadThroughFaults) {
  ExpectGuarantees({.rates = {.crash = 150,
                              .disconnect = 60,
                              .corrupt = 60,
                              .source_open = 10,
                              .sink_open = 10,
                              .lost_producer = 40,
                              .disk_call = 40,
                              .table_open = 10,
                              .table_disconnect = 30,
                              .ledger = 60},
                    .has_xa = true,
                    .has_torn_files = true,
                    .is_compressed = true,
                    .stops = true,
                    .spills = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadWithoutRepeatsWhereTheSinkKeepsTheCheckpoint) {
  ExpectGuarantees({.rates = {.crash = 150,
                              .disconnect = 60,
                              .sink_open = 10,
                              .lost_producer = 8,
                              .disk_call = 40,
                              .table_open = 10,
                              .table_disconnect = 30},
                    .reads_by_file = false,
                    .has_xa = true,
                    .stops = true,
                    .keeps_checkpoints = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadThoughEventsAreBad) {
  ExpectGuarantees({.rates = {.crash = 300, .sink_open = 10, .lost_producer = 60},
                    .has_bad_events = true,
                    .has_dead_letters = true,
                    .stops = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadWhileTheServerPurges) {
  ExpectGuarantees({.rates = {.crash = 150, .disconnect = 60, .table_disconnect = 60},
                    .purges = true,
                    .purges_unread = true,
                    .has_xa = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadThoughItIsTruncatedAndAltered) {
  ExpectGuarantees({.reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .has_table_ddl = true,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadThoughTheLogHasPartsOfRowsOnly) {
  ExpectGuarantees({.rates = {.crash = 150,
                              .disconnect = 60,
                              .lost_producer = 40,
                              .disk_call = 40,
                              .table_disconnect = 60,
                              .ledger = 100},
                    .has_xa = true,
                    .has_torn_files = true,
                    .is_compressed = true,
                    .stops = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .has_partial_images = true,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, ATableIsReadThoughAnotherServerTakesOver) {
  ExpectGuarantees({.rates = {.crash = 200, .disconnect = 60},
                    .fails_over = true,
                    .has_xa = true,
                    .reads_tables = true,
                    .row_changes = kAllRowChanges,
                    .transactions_max = 24});
}

TEST_F(SimulationTest, Everything) {
  ExpectGuarantees({.rates = {.crash = 120,
                              .disconnect = 40,
                              .corrupt = 40,
                              .source_open = 6,
                              .sink_open = 6,
                              .lost_producer = 40,
                              .unreachable_topic = 20,
                              .disk_call = 30,
                              .short_write = 10},
                    .switches_to_gtid = true,
                    .fails_over = true,
                    .purges = true,
                    .has_xa = true,
                    .has_torn_files = true,
                    .is_compressed = true,
                    .has_large_events = true,
                    .has_bad_events = true,
                    .has_dead_letters = true,
                    .stops = true,
                    .spills = true});
}

}  // namespace
}  // namespace outboxd::sim
