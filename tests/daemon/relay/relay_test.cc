#include "daemon/relay/relay_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "daemon/relay/sqlite_read_ledger.h"
#include "tests/daemon/fake_source.h"
#include "tests/daemon/fake_tables.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/outbox_mappings.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = LoggedTransaction::Kind;

constexpr std::string_view kUuid = FakeSource::kUuid;
constexpr std::size_t kLargeEventBytes = std::size_t{16} << 20;

class RelayTest : public ::testing::Test {
 protected:
  explicit RelayTest(const DeliveryConfig& delivery = {}, std::size_t memory_bytes_max = 8u << 20,
                     std::uint64_t spill_bytes_max = 1u << 30)
      : core_({.source = source_,
               .tables = tables_,
               .ledger = ledger_,
               .sink = owner_,
               .store = nullptr,
               .state = &state_,
               .alarms = &alarms_,
               .journal = &journal_,
               .character_sets = character_sets_,
               .liveness = liveness_,
               .outages = outages_,
               .clock = clock_},
              {.name = "shop",
               .table_patterns = {"shop.outbox"},
               .delivery = delivery,
               .state_directory = directory_.path(),
               .buffer = {directory_ / "spill", memory_bytes_max, spill_bytes_max}},
              Progress{},
              OutboxSelections(delivery.on_update == DeliveryConfig::OnUpdate::kPublish),
              OutboxMappings()) {}

  // Steps until nothing is left to do but wait for the source; acknowledges on the way if asked to.
  Result<void> Work(bool acknowledge, int steps = 300) {
    for (int i = 0; i < steps; ++i) {
      auto step = relay_.ReadStep();
      if (!step) return std::unexpected(step.error());
      if (step->kind == Step::Kind::kStopped) return {};
      clock_.Move(step->pause);
      if (acknowledge) sink_.AcknowledgeAll();
      Report();
    }
    return {};
  }
  void Report() {
    sinks::DeliveryReports reports;
    sink_.Poll(milliseconds(0), reports);
    tracker_.Report(reports);
  }
  std::string Done() { return tracker_.progress().position.gtids.ToText(); }
  std::vector<std::string> DeliveredValues() {
    std::vector<std::string> values;
    for (const FakeSink::Sent& sent : sink_.delivered) values.push_back(sent.value);
    return values;
  }

  TemporaryDirectory directory_;
  StateDirectory state_{directory_.path()};
  FakeClock clock_;
  FakeSource source_;
  FakeSink sink_;
  Liveness liveness_{clock_};
  Outages outages_{clock_};
  SinkOwner owner_{sink_, FakeSink::kWords, liveness_, outages_, clock_};
  binlog::CharacterSets character_sets_;
  NoTables tables_;
  SqliteReadLedger ledger_{""};
  AlarmLog alarms_{directory_.path()};
  Journal journal_{directory_.path(), 1u << 20};
  RelayCore core_;
  Relay& relay_ = core_.relay();
  DeliveryTracker& tracker_ = core_.tracker();
  const Publisher& publisher_ = core_.publisher();
  const ChangeWatch& changes_ = core_.changes();
};

TEST_F(RelayTest, DeliversWhatWasCommittedAndMovesTheProgress) {
  source_.transactions = {{"a", "b"}, {}, {"c"}};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

// By GTID the server skips what the relay has, and nothing else tells where that ends.
TEST_F(RelayTest, AnIdleStreamTellsWhereInTheLogTheAcknowledgedPlaceIs) {
  EXPECT_FALSE(tracker_.standing().place);
  ASSERT_TRUE(Work(true));
  const auto place = tracker_.standing().place;
  ASSERT_TRUE(place);
  EXPECT_EQ(place->server_uuid, FakeSource::kUuid);
  EXPECT_EQ(place->file, "binlog.000001");
  EXPECT_EQ(place->offset, source_.EndOfLog().offset);
}

TEST_F(RelayTest, TheAcknowledgedPlaceIsBeforeTheFirstTransactionUntilThatIsAcknowledged) {
  const std::uint64_t begin = source_.EndOfLog().offset;
  source_.transactions = {{"a"}, {"b"}};
  ASSERT_TRUE(Work(false));
  const auto place = tracker_.standing().place;
  ASSERT_TRUE(place);
  EXPECT_GE(place->offset, begin);
  EXPECT_LT(place->offset, source_.EndOfLog().offset);
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(tracker_.standing().place->offset, source_.EndOfLog().offset);
}

TEST_F(RelayTest, AReconnectGoesOnBehindWhatWasReadAndRepeatsNothing) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  source_.fails_after = 9;  // Within the second transaction.
  ASSERT_TRUE(Work(false));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  EXPECT_EQ(sink_.in_flight.size(), 3u);
}

TEST_F(RelayTest, ALostProducerIsReplacedAndWhatIsNotAcknowledgedSentAgain) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  ASSERT_TRUE(Work(false));
  sink_.Acknowledge();
  Report();
  sink_.Lose("fatal");
  Report();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.opened, 2);
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, HoldsAtARefusedMessageAndNothingBehindItIsSent) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  ASSERT_TRUE(Work(false));
  sink_.Acknowledge();
  sink_.Refuse("too large");  // "b"
  Report();
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(Work(false, 1));
    ASSERT_LE(sink_.in_flight.size(), 1u);
    if (!sink_.in_flight.empty()) sink_.Refuse("too large");
    Report();
  }
  EXPECT_TRUE(publisher_.held());
  EXPECT_EQ(Done(), fmt::format("{}:1", kUuid));
  ASSERT_TRUE(Work(true, 1000));
  EXPECT_FALSE(publisher_.held());
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, NeverGivesUpOnAServerThatIsAway) {
  source_.open_error = binlog::Error{binlog::ErrorKind::kDisconnected, "refused"};
  source_.transactions = {{"a"}};
  ASSERT_TRUE(Work(true, 2000));
  source_.open_error.reset();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 1u);
}

TEST_F(RelayTest, EndsWhenTheServerHasPurgedWhatIsNeeded) {
  source_.open_error = binlog::Error{binlog::ErrorKind::kGone, "purged"};
  const auto ended = Work(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kGap);
}

TEST_F(RelayTest, ReadsADamagedEventAgainAndEndsAtTheThirdTime) {
  source_.next_error = binlog::ErrorKind::kCorrupt;
  source_.transactions = {{"a"}};
  source_.fails_after = 3;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(sink_.delivered.size(), 1u);
}

TEST_F(RelayTest, AWrongPasswordEndsTheStartButNotARunningRelay) {
  source_.open_error = binlog::Error{binlog::ErrorKind::kDenied, "wrong password"};
  const auto ended = Work(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kDenied);
}

TEST_F(RelayTest, ARunningRelayWaitsUntilTheLogInFitsAgain) {
  source_.transactions = {{"a"}, {"b"}};
  source_.fails_after = 5;  // Behind the first transaction's beginning.
  for (const auto kind : {binlog::ErrorKind::kDenied, binlog::ErrorKind::kHandshake}) {
    ASSERT_TRUE(Work(true, 3));  // Until the source has been open.
    source_.open_error = binlog::Error{kind, "being rotated"};
    ASSERT_TRUE(Work(true));
    source_.open_error.reset();
  }
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 2u);
}

TEST_F(RelayTest, RefusesAnotherKafkaClusterThanTheCheckpoints) {
  owner_.Expect("another");
  const auto ended = Work(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kCheckpoint);
}

TEST_F(RelayTest, AnotherClusterIsRefusedAlsoWhereAHoldOpensTheSinkAnew) {
  source_.transactions = {{"a"}};
  ASSERT_TRUE(Work(false));
  for (int i = 0; i < 2; ++i) {  // Then for this message alone.
    ASSERT_EQ(sink_.in_flight.size(), 1u);
    sink_.Refuse("too large");
    Report();
    ASSERT_TRUE(Work(false, 20));
  }
  ASSERT_TRUE(publisher_.held());
  sink_.Lose("fatal");
  Report();
  sink_.identity = "another";
  const auto ended = Work(false);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kCheckpoint);
}

TEST_F(RelayTest, AStopWaitsForNothingThatWentDownWithItsProducer) {
  source_.transactions = {{"a"}};
  ASSERT_TRUE(Work(false));
  sink_.Lose("fatal");
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "away"};
  Report();
  ASSERT_TRUE(Work(false, 5));
  EXPECT_FALSE(tracker_.AllAcknowledged()) << "what is not delivered ages as long as it is so";
  relay_.RequestStop();
  EXPECT_EQ(relay_.ReadStep()->kind, Step::Kind::kStopped);
  EXPECT_TRUE(tracker_.AllAcknowledged());
}

TEST_F(RelayTest, ANewProducerWaitsForWhatIsInFlightAndRepeatsNothing) {
  source_.transactions = {{"a", "b"}, {"c"}};
  ASSERT_TRUE(Work(false));
  relay_.RenewProducer();
  ASSERT_TRUE(Work(false, 100));
  EXPECT_EQ(sink_.opened, 1);
  sink_.AcknowledgeAll();
  Report();
  source_.transactions.push_back({"d"});
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.opened, 2);
  EXPECT_EQ(source_.opened, 1);
  EXPECT_EQ(sink_.delivered.size(), 4u);
}

TEST_F(RelayTest, ANewProducerGoesOnWithTheRowInHand) {
  sink_.room = 1;
  source_.transactions = {{"a", "b", "c"}};
  ASSERT_TRUE(Work(false));
  relay_.RenewProducer();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.opened, 2);
  EXPECT_EQ(source_.opened, 1);
  EXPECT_EQ(sink_.delivered.size(), 3u);
}

TEST_F(RelayTest, WhatTheFormerProducerDoesNotDeliverInTimeIsSentAgain) {
  source_.transactions = {{"a"}, {"b"}};
  ASSERT_TRUE(Work(false));
  relay_.RenewProducer();
  ASSERT_TRUE(Work(false, 10'000));
  EXPECT_EQ(sink_.opened, 2);
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_EQ(Done(), fmt::format("{}:1-2", kUuid));
}

TEST_F(RelayTest, ANewProducerTriesTheHeldEventAgain) {
  source_.transactions = {{"a"}, {"b"}};
  sink_.room = 0;
  ASSERT_TRUE(Work(false, 20));
  sink_.room = 10;
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kRejected, "may not write"};
  ASSERT_TRUE(Work(false, 20));
  ASSERT_TRUE(publisher_.held());
  relay_.RenewProducer();
  ASSERT_TRUE(Work(false, 20));
  EXPECT_EQ(sink_.opened, 2);
  EXPECT_TRUE(publisher_.held());
  sink_.publish_error.reset();
  ASSERT_TRUE(Work(true, 1000));
  EXPECT_EQ(sink_.delivered.size(), 2u);
}

TEST_F(RelayTest, StopsBehindTheTransactionInHand) {
  source_.transactions = {{"a"}};
  ASSERT_TRUE(Work(true));
  relay_.RequestStop();
  EXPECT_TRUE(source_.interrupted);
  EXPECT_EQ(relay_.ReadStep()->kind, Step::Kind::kStopped);
}

TEST_F(RelayTest, OpensTheSourceAgainAfterATransactionWithALargeEvent) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  source_.transactions[1].PadTo(kLargeEventBytes + 1);
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1-2", kUuid));
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, KeepsTheSourceOpenAfterEventsOfOrdinarySize) {
  source_.transactions = {{"a"}};
  source_.transactions[0].PadTo(kLargeEventBytes / 2);
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 1);
}

TEST_F(RelayTest, PublishesAPreparedTransactionWhenItIsCommittedAndNotBefore) {
  source_.transactions = {LoggedTransaction::Xa(Kind::kXaPrepare, {"a", "b"}), {"c"}};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 1u);
  EXPECT_EQ(Done(), fmt::format("{}:2", kUuid));
  ASSERT_EQ(tracker_.progress().held_xa.size(), 1u);
  EXPECT_EQ(tracker_.progress().held_xa.front().place, fmt::format("{}:1", kUuid));
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  source_.fails_after = 0;  // It asks for what is new.
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
  EXPECT_TRUE(tracker_.progress().held_xa.empty());
}

TEST_F(RelayTest, ALostProducerIsAnsweredByGtidThoughEverythingReadIsHeld) {
  source_.transactions = {LoggedTransaction::Xa(Kind::kXaPrepare, {"a"})};
  ASSERT_TRUE(Work(true));
  sink_.Lose("fatal");
  Report();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened_from, "");
  EXPECT_EQ(tracker_.progress().position.file, "");
}

TEST_F(RelayTest, PublishesNothingOfAPreparedTransactionThatIsRolledBack) {
  source_.transactions = {LoggedTransaction::Xa(Kind::kXaPrepare, {"a"}),
                          LoggedTransaction::Xa(Kind::kXaRollback)};
  ASSERT_TRUE(Work(true));
  EXPECT_TRUE(sink_.delivered.empty());
  EXPECT_EQ(Done(), fmt::format("{}:1-2", kUuid));
  EXPECT_TRUE(tracker_.progress().held_xa.empty());
}

TEST_F(RelayTest, AReconnectKeepsWhatIsPrepared) {
  source_.transactions = {LoggedTransaction::Xa(Kind::kXaPrepare, {"a"}),
                          {"b"},
                          LoggedTransaction::Xa(Kind::kXaCommit)};
  source_.fails_after = 10;  // Within the second transaction.
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, ALostProducerHasWhatIsPreparedReadAgain) {
  source_.transactions = {LoggedTransaction::Xa(Kind::kXaPrepare, {"a"}), {"b"}};
  ASSERT_TRUE(Work(false));
  sink_.Lose("fatal");
  Report();
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened_from, "");
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, WithoutAStoredCheckpointNothingMoreIsPublishedAfterAWhile) {
  outages_.CheckpointFails("disk full");
  source_.transactions = {{"a"}};
  ASSERT_TRUE(Work(true, 20));
  EXPECT_EQ(sink_.delivered.size(), 1u);
  clock_.Move(milliseconds(10'000));
  source_.transactions.push_back({"b"});
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 1u);
  outages_.CheckpointIsStored();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 2u);
}

TEST_F(RelayTest, NothingGoesOnBehindAnAlarmThatCannotBeRecordedYet) {
  const auto in_the_way = std::filesystem::path(directory_ / "alarms.jsonl");
  std::filesystem::create_directory(in_the_way);
  source_.transactions = {
      {"a"}, LoggedTransaction::Statement("INSERT INTO outbox SELECT 1"), {"b"}};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 1u);
  EXPECT_TRUE(outages_.state());
  std::filesystem::remove(in_the_way);
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_EQ(alarms_.CountStanding(), 1u);
  EXPECT_EQ(changes_.counts().statements, 1u);
  EXPECT_FALSE(outages_.state());
}

// The stream is idle afterwards: nothing waits.
TEST_F(RelayTest, AHoldThatIsOverIsShownNoMore) {
  source_.transactions = {{"a"}};
  sink_.refused_topics = {"outbox.event.order"};
  std::jthread runs([this] { ASSERT_TRUE(relay_.Run()); });
  const auto shows = [this](bool held) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (relay_.held().has_value() != held) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  };
  EXPECT_TRUE(shows(true));
  ASSERT_TRUE(state_.RequestSkip(fmt::format("{}:1:1", kUuid)));
  EXPECT_TRUE(shows(false));
  relay_.RequestStop();
}

TEST_F(RelayTest, ByDefaultAStatementRaisesAnAlarmAndWhatComesBehindItIsDelivered) {
  source_.transactions = {
      {"a"}, LoggedTransaction::Statement("INSERT INTO outbox SELECT 1"), {"b"}};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
  ASSERT_EQ(alarms_.Standing()->size(), 1u);
  EXPECT_EQ(alarms_.Standing()->at(0).position, fmt::format("{}:2", kUuid));
}

TEST_F(RelayTest, ByDefaultAnUpdatePublishesNothingAndIsCounted) {
  source_.transactions = {{"a"}, LoggedTransaction::Update("a")};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 1u);
  EXPECT_EQ(changes_.counts().updates, 1u);
  EXPECT_TRUE(alarms_.Standing()->empty());
}

TEST_F(RelayTest, LetsTheServerPurgeWhileNothingCanBeSentAndReadsOnBehindIt) {
  source_.transactions = {{"a", "b"}, {"c"}};
  sink_.room = 1;
  ASSERT_TRUE(Work(false, 20));
  EXPECT_EQ(source_.closed, 0);
  clock_.Move(milliseconds(600'000));
  ASSERT_TRUE(Work(false, 20));
  EXPECT_EQ(source_.closed, 1) << "once, whatever the number of attempts";
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  EXPECT_EQ(DeliveredValues().size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-2", kUuid));
}

TEST_F(RelayTest, AnHourWithoutKafkaIsWaitedOutAndEverythingArrivesAfterIt) {
  source_.transactions = {{"a", "b"}, {"c"}, {"d"}, {"e"}};
  sink_.room = 2;
  ASSERT_TRUE(Work(false, 20));
  sink_.Lose("gone");
  Report();
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "gone"};
  const auto begin = clock_.Now();
  while (clock_.Now() - begin < std::chrono::hours(1)) ASSERT_TRUE(Work(false, 1));
  EXPECT_EQ(source_.opened, 1) << "nothing is read that cannot be sent";
  EXPECT_GE(source_.closed, 1) << "so that the server can purge";
  EXPECT_GT(sink_.opened, 3600 / 15);
  EXPECT_LT(sink_.opened, 3600 / 5) << "no hot loop";
  sink_.open_error.reset();
  sink_.room = 1000;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(DeliveredValues().size(), 5u);
  EXPECT_EQ(Done(), fmt::format("{}:1-4", kUuid));
}

TEST_F(RelayTest, ASinkThatIsSlowButTakesSomethingStallsNothing) {
  source_.transactions = {{"a", "b", "c", "d"}};
  sink_.room = 1;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(Work(false, 20));
    clock_.Move(milliseconds(400'000));
    sink_.AcknowledgeAll();
    Report();
  }
  EXPECT_EQ(source_.closed, 0);
}

class MaxRateTest : public RelayTest {
 protected:
  MaxRateTest() : RelayTest({.max_rate = 10}) {}
};

TEST_F(MaxRateTest, NoMoreEventsASecondAreSent) {
  source_.transactions = {{"a", "b", "c"}, {"d"}, {"e"}};
  const auto begin = clock_.Now();
  while (sink_.in_flight.size() < 5) ASSERT_TRUE(Work(false, 1));
  const auto taken = clock_.Now() - begin;
  EXPECT_GE(taken, milliseconds(300));  // One at once and one within the tenth of a second.
  EXPECT_LE(taken, milliseconds(500));
}

TEST_F(MaxRateTest, AnotherRateCountsFromTheNextEventOn) {
  source_.transactions = {{"a", "b"}};
  while (sink_.in_flight.size() < 2) ASSERT_TRUE(Work(false, 1));
  relay_.SetMaxRate(0);
  source_.transactions.push_back({"c", "d", "e", "f", "g", "h"});
  const auto begin = clock_.Now();
  while (sink_.in_flight.size() < 8) ASSERT_TRUE(Work(false, 1));
  EXPECT_LE(clock_.Now() - begin, milliseconds(100));
  relay_.SetMaxRate(1);
  source_.transactions.push_back({"i", "j", "k"});
  while (sink_.in_flight.size() < 11) ASSERT_TRUE(Work(false, 1));
  EXPECT_GE(clock_.Now() - begin, milliseconds(1900));
}

class ByFileTest : public RelayTest {
 protected:
  ByFileTest() { source_.by_gtid = false; }

  static constexpr std::string_view kBefore = "22222222-2222-2222-2222-222222222222:1-5";
};

TEST_F(ByFileTest, LearnsWhatTheServerHasExecutedFromTheBeginOfTheFile) {
  source_.transactions = {{"a"}, {"b"}};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(Done(), fmt::format("{}:1-2,{}", kUuid, kBefore));
}

TEST_F(ByFileTest, GoesOnBehindTheLastTransactionAfterAReconnect) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  source_.fails_after = 9;  // Within the second transaction.
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3,{}", kUuid, kBefore));
}

TEST_F(ByFileTest, WhatIsPreparedKeepsThePlaceBeforeItButNotTheGtidsBehindIt) {
  source_.transactions = {{"a"}, LoggedTransaction::Xa(Kind::kXaPrepare, {"x"}), {"b"}};
  source_.ends_file = true;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(Done(), fmt::format("{}:1:3,{}", kUuid, kBefore));
  EXPECT_EQ(tracker_.progress().position.file, "binlog.000001");
}

TEST_F(ByFileTest, ALostProducerRepeatsNothingThatStandsBehindAPrepare) {
  source_.transactions = {LoggedTransaction::Xa(Kind::kXaPrepare, {"x"}), {"a"}};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 1u);
  source_.transactions.push_back({"b"});
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  sink_.Lose("fatal");
  Report();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-4,{}", kUuid, kBefore));
}

TEST_F(ByFileTest, AFileThatHasEndedIsFollowedThoughNothingHappens) {
  source_.transactions = {{"a"}};
  source_.ends_file = true;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(tracker_.progress().position.file, "binlog.000002");
  EXPECT_EQ(tracker_.progress().position.offset, 4u);
}

TEST_F(ByFileTest, BehindALargeEventBeyond4GiBTheSourceStaysOpenUntilTheNextFile) {
  source_.first_offset = std::uint64_t{5} << 30;
  source_.transactions = {{"a"}, {"b"}};
  source_.transactions[0].PadTo(kLargeEventBytes + 1);
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 1);
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_GT(tracker_.progress().position.offset, source_.first_offset);
}

class StopOnStatementTest : public RelayTest {
 protected:
  StopOnStatementTest() : RelayTest({.on_statement = DeliveryConfig::OnStatement::kStop}) {}
};

TEST_F(StopOnStatementTest, EndsBeforeTheTransactionAndNothingBehindItIsDelivered) {
  source_.transactions = {
      {"a"}, LoggedTransaction::Statement("INSERT INTO outbox SELECT 1"), {"b"}};
  const auto ended = Work(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kUndecodable);
  EXPECT_NE(ended.error().message.find(fmt::format("{}:2", kUuid)), std::string::npos);
  EXPECT_EQ(sink_.delivered.size(), 1u);
  EXPECT_EQ(Done(), fmt::format("{}:1", kUuid));
}

class PublishUpdatesTest : public RelayTest {
 protected:
  PublishUpdatesTest() : RelayTest({.on_update = DeliveryConfig::OnUpdate::kPublish}) {}
};

TEST_F(PublishUpdatesTest, PublishesTheRowAsTheUpdateLeftItAndNoDelete) {
  source_.transactions = {LoggedTransaction::Update("a"), LoggedTransaction::Delete("a")};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(DeliveredValues(), std::vector<std::string>{"p"});
  EXPECT_EQ(changes_.counts().updates, 0u);
  EXPECT_EQ(changes_.counts().deletes, 1u);
}

class AlarmOnUpdateTest : public RelayTest {
 protected:
  AlarmOnUpdateTest() : RelayTest({.on_update = DeliveryConfig::OnUpdate::kAlarm}) {}
};

TEST_F(AlarmOnUpdateTest, PublishesNothingAndRaisesAnAlarm) {
  source_.transactions = {LoggedTransaction::Update("a")};
  ASSERT_TRUE(Work(true));
  EXPECT_TRUE(sink_.delivered.empty());
  ASSERT_EQ(alarms_.Standing()->size(), 1u);
  EXPECT_EQ(alarms_.Standing()->at(0).kind, "update");
}

// Nothing fits into memory, and the spill directory is not there yet.
class SpillTest : public RelayTest {
 protected:
  explicit SpillTest(std::uint64_t spill_bytes_max = 1u << 30)
      : RelayTest({}, 0, spill_bytes_max) {}

  // Cuts the spill file of the transaction in hand, as a failing disk would.
  int CutSpillFiles() {
    int cut = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
      if (!target.starts_with(directory_ / "spill/")) continue;
      if (ftruncate(std::stoi(entry.path().filename()), 0) == 0) ++cut;
    }
    return cut;
  }
};

TEST_F(SpillTest, HoldsWhileASpillFileCannotBeMadeAndGoesOnWhenItCan) {
  source_.transactions = {{}, {"a"}, {"b"}};
  ASSERT_TRUE(Work(true));
  EXPECT_GT(source_.opened, 2);
  EXPECT_TRUE(sink_.delivered.empty());
  EXPECT_EQ(Done(), fmt::format("{}:1", kUuid));
  std::filesystem::create_directory(directory_ / "spill");
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(SpillTest, ReadsATransactionAgainWhoseSpillFileIsDamaged) {
  std::filesystem::create_directory(directory_ / "spill");
  source_.transactions = {{"a"}, {"b", "c", "d"}};
  sink_.room = 2;
  ASSERT_TRUE(Work(false));  // It stands at "c", and "d" is still in the file.
  ASSERT_EQ(CutSpillFiles(), 1);
  sink_.room = 1000;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(Done(), fmt::format("{}:1-2", kUuid));
}

class SpillCapTest : public SpillTest {
 protected:
  SpillCapTest() : SpillTest(300) { std::filesystem::create_directory(directory_ / "spill"); }
};

TEST_F(SpillCapTest, HoldsAtATransactionAboveTheCapAndTriesAgainWithGrowingPauses) {
  source_.transactions = {{"a"}, {"b", "c", "d", "e"}, {"f"}};
  ASSERT_TRUE(Work(true, 1000));
  const int opened = source_.opened;
  EXPECT_GT(opened, 2);
  EXPECT_EQ(sink_.delivered.size(), 1u);
  EXPECT_EQ(Done(), fmt::format("{}:1", kUuid));
  EXPECT_GE(clock_.Now().time_since_epoch(), (opened - 10) * milliseconds(7'500));
}

// A relay that has read a, b, c from one server and meets another one that lacks c.
class FailoverRelayTest : public RelayTest {
 protected:
  explicit FailoverRelayTest(const DeliveryConfig& delivery = {}) : RelayTest(delivery) {}

  Result<void> FailOver(bool acknowledge) {
    if (auto read = Work(false); !read) return read;
    if (acknowledge) {
      sink_.AcknowledgeAll();
      Report();
    }
    source_.transactions.pop_back();
    source_.server_uuid = kOther;
    source_.lost = binlog::GtidSet::Parse(fmt::format("{}:3", kUuid)).value();
    source_.fails_after = 0;
    return Work(false);
  }
  std::string Alarms() {
    std::string text;
    const auto standing = alarms_.Standing();
    for (const Alarm& alarm : standing.value()) {
      text += fmt::format("{} {}: {}\n", alarm.kind, alarm.position, alarm.text);
    }
    return text;
  }

  static constexpr std::string_view kOther = "22222222-2222-2222-2222-222222222222";
};

TEST_F(FailoverRelayTest, TellsTheSourceWhatWasReadLastAndFromWhom) {
  source_.transactions = {{"a"}, {"b"}};
  source_.fails_after = 9;  // Within the second transaction.
  ASSERT_TRUE(Work(false));
  EXPECT_EQ(source_.known_history.server_uuid, kUuid);
  ASSERT_TRUE(source_.known_history.last_gtid);
  EXPECT_EQ(ToText(*source_.known_history.last_gtid), fmt::format("{}:1", kUuid));
}

TEST_F(FailoverRelayTest, TakesWhatWasLostOutOfThePositionAndNamesItsEvents) {
  source_.transactions = {{"a"}, {"b"}, {"c1", "c2"}};
  ASSERT_TRUE(FailOver(true));
  EXPECT_EQ(Done(), fmt::format("{}:1-2", kUuid));
  EXPECT_EQ(tracker_.progress().server_uuid, kOther);
  EXPECT_EQ(sink_.in_flight.size(), 0u);
  EXPECT_THAT(Alarms(), AllOf(HasSubstr(fmt::format("lost {}:3: ", kUuid)),
                              HasSubstr("2 events were published of them: shop.outbox id c1, id c2"
                                        "; the ids stand in ")));
  EXPECT_THAT(directory_.Read("lost.jsonl"), HasSubstr("\"id\":\"c1\""));
  EXPECT_THAT(directory_.Read("lost.jsonl"), Not(HasSubstr("\"b\"")));
}

TEST_F(FailoverRelayTest, AMessageInFlightOfALostTransactionIsNamedToo) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  ASSERT_TRUE(FailOver(false));
  EXPECT_EQ(Done(), "");
  EXPECT_THAT(Alarms(), HasSubstr("1 event was published of them: shop.outbox id c;"));
  sink_.AcknowledgeAll();
  Report();
  EXPECT_EQ(Done(), fmt::format("{}:1-2", kUuid));
  EXPECT_EQ(sink_.delivered.size(), 3u);
}

TEST_F(FailoverRelayTest, ALostTransactionThatReappearsIsPublishedAgain) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  ASSERT_TRUE(FailOver(true));
  source_.transactions.push_back({"c"});
  source_.fails_after = 0;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 4u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(FailoverRelayTest, APreparedTransactionThatWasLostIsForgotten) {
  source_.transactions = {{"a"}, {"b"}, LoggedTransaction::Xa(Kind::kXaPrepare, {"c"})};
  ASSERT_TRUE(FailOver(true));
  EXPECT_EQ(core_.prepared().held_count(), 0u);
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaPrepare, {"d"}));
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  source_.fails_after = 0;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 3u);
}

TEST_F(FailoverRelayTest, AnXaTransactionWhoseDecisionWasLostIsDecidedOnceMore) {
  source_.transactions = {{"a"},
                          LoggedTransaction::Xa(Kind::kXaPrepare, {"b"}),
                          LoggedTransaction::Xa(Kind::kXaRollback)};
  ASSERT_TRUE(FailOver(true));
  EXPECT_EQ(Done(), fmt::format("{}:1", kUuid));
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  source_.fails_after = 0;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(DeliveredValues().size(), 2u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

class StoppingRelayTest : public FailoverRelayTest {
 protected:
  StoppingRelayTest()
      : FailoverRelayTest({.on_lost_transactions = DeliveryConfig::OnLostTransactions::kStop}) {}
};

TEST_F(StoppingRelayTest, EndsBeforeAnythingOfTheNewServerIsPublished) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  const auto ended = FailOver(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kDiverged);
  EXPECT_THAT(ended.error().message, HasSubstr("shop.outbox id c"));
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
  EXPECT_EQ(tracker_.progress().server_uuid, kUuid);
}

}  // namespace
}  // namespace outboxd
