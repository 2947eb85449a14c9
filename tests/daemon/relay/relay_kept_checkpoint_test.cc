#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint/checkpoint_format.h"
#include "daemon/relay/acknowledger.h"
#include "daemon/relay/relay_core.h"
#include "daemon/relay/sqlite_read_ledger.h"
#include "tests/daemon/fake_source.h"
#include "tests/daemon/fake_tables.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/outbox_mappings.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Messages become visible with the checkpoint of a boundary, all of them or none.
class KeepingSink final : public FakeSink {
 public:
  KeepingSink() { keeps_checkpoints = true; }

  sinks::Result<sinks::PublishOutcome> AtBoundary(const sinks::Boundary& boundary) override {
    if (boundaries_left == 0 || in_flight.empty()) return sinks::PublishOutcome::kAccepted;
    --boundaries_left;
    kept = boundary.Checkpoint();
    for (const Sent& sent : in_flight) visible.push_back(ids[sent.id]);
    AcknowledgeAll();
    return sinks::PublishOutcome::kAccepted;
  }

  sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                               sinks::DeliveryId id) override {
    for (const sinks::Header& header : message.headers) {
      if (header.name == "id") ids[id] = header.value.value_or("");
    }
    return FakeSink::Publish(message, id);
  }

  std::map<sinks::DeliveryId, std::string> ids;  // Of the events, in this process.
  std::vector<std::string> visible;
  int boundaries_left = 1000;  // Those behind them are let pass.
};

// A relay that is made anew from what its sink keeps.
class KeptCheckpointTest : public ::testing::Test {
 protected:
  KeptCheckpointTest() { Start(); }

  void Start() {
    owner_.Close();
    core_.reset();
    Progress progress;
    if (sink_.kept) progress = MakeProgress(DecodeCheckpoint(*sink_.kept, "shop", "kept").value());
    core_ = std::make_unique<RelayCore>(RelayCore::World{.source = source_,
                                                         .tables = tables_,
                                                         .ledger = ledger_,
                                                         .sink = owner_,
                                                         .store = nullptr,
                                                         .state = nullptr,
                                                         .alarms = &alarms_,
                                                         .journal = &journal_,
                                                         .character_sets = character_sets_,
                                                         .liveness = liveness_,
                                                         .outages = outages_,
                                                         .clock = clock_},
                                        Settings(), std::move(progress),
                                        OutboxSelections(takes_updates_), OutboxMappings());
  }
  RelayCore::Settings Settings() const {
    RelayCore::Settings settings;
    settings.name = "shop";
    settings.table_patterns = {"shop.outbox"};
    settings.rows_between_boundaries = 2;
    settings.state_directory = directory_.path();
    return settings;
  }
  void Work() {
    for (int i = 0; i < 100; ++i) {
      auto step = core_->relay().ReadStep();
      ASSERT_TRUE(step) << step.error().message;
      clock_.Move(step->pause);
      sinks::DeliveryReports reports;
      sink_.Poll({}, reports);
      core_->tracker().Report(reports);
    }
  }
  std::optional<TransactionPart> KeptPart() const {
    return DecodeCheckpoint(*sink_.kept, "shop", "kept").value().part;
  }
  const std::vector<std::string>& Delivered() const { return sink_.visible; }

  TemporaryDirectory directory_;
  FakeClock clock_;
  FakeSource source_;
  KeepingSink sink_;
  Liveness liveness_{clock_};
  Outages outages_{clock_};
  SinkOwner owner_{sink_, FakeSink::kWords, liveness_, outages_, clock_};
  binlog::CharacterSets character_sets_;
  NoTables tables_;
  SqliteReadLedger ledger_{""};
  AlarmLog alarms_{directory_.path()};
  Journal journal_{directory_.path(), 1u << 20};
  bool takes_updates_ = false;
  std::unique_ptr<RelayCore> core_;
};

TEST_F(KeptCheckpointTest, ALargeTransactionHasBoundariesInside) {
  source_.transactions = {{"a", "b", "c", "d", "e"}};
  sink_.boundaries_left = 1;
  Work();
  EXPECT_THAT(Delivered(), ElementsAre("a", "b"));
  ASSERT_TRUE(KeptPart());
  EXPECT_EQ(KeptPart()->place, fmt::format("{}:1", FakeSource::kUuid));
  EXPECT_EQ(KeptPart()->rows, 2u);
}

TEST_F(KeptCheckpointTest, AProcessGoesOnInsideTheTransaction) {
  source_.transactions = {{"a", "b", "c", "d", "e"}, {"f"}};
  sink_.boundaries_left = 1;
  Work();
  sink_.boundaries_left = 1000;
  Start();
  Work();
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_FALSE(KeptPart());
}

TEST_F(KeptCheckpointTest, AnotherProducerGoesOnInsideTheTransaction) {
  source_.transactions = {{"a", "b", "c", "d", "e"}, {"f"}};
  sink_.boundaries_left = 1;
  Work();
  sink_.boundaries_left = 1000;
  sink_.Lose("injected");
  Work();
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST_F(KeptCheckpointTest, AnotherTransactionOfTheSameNameEndsTheRun) {
  source_.transactions = {{"a", "b", "c"}};
  sink_.boundaries_left = 1;
  Work();
  auto kept = DecodeCheckpoint(*sink_.kept, "shop", "kept").value();
  ++kept.part->commit_us;
  sink_.kept = EncodeCheckpoint(kept).value();
  Start();
  Result<Step> step = Step{};
  for (int i = 0; i < 100 && step; ++i) step = core_->relay().ReadStep();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().kind, ExitCode::kDiverged);
  EXPECT_THAT(step.error().message, HasSubstr("the first 2 rows of transaction"));
}

TEST_F(KeptCheckpointTest, WhereOtherRowsCountThePartIsPublishedAgain) {
  source_.transactions = {{"a", "b", "c"}};
  sink_.boundaries_left = 1;
  Work();
  sink_.boundaries_left = 1000;
  takes_updates_ = true;
  Start();
  Work();
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "a", "b", "c"));
}

TEST_F(KeptCheckpointTest, AFailoverThatLosesThePartTellsWhatWasPublishedOfIt) {
  source_.transactions = {{"a", "b", "c"}};
  sink_.boundaries_left = 1;
  Work();
  source_.transactions.clear();
  source_.server_uuid = "22222222-2222-2222-2222-222222222222";
  source_.lost = binlog::GtidSet::Parse(fmt::format("{}:1", FakeSource::kUuid)).value();
  sink_.boundaries_left = 1000;
  Start();
  Work();
  ASSERT_TRUE(source_.known_history.begun);
  EXPECT_EQ(ToText(*source_.known_history.begun), fmt::format("{}:1", FakeSource::kUuid));
  const auto alarms = alarms_.Standing().value();
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_THAT(alarms[0].text, HasSubstr("2 events were published of them: shop.outbox id a, id b"));
  EXPECT_FALSE(core_->tracker().progress().part);
}

TEST_F(KeptCheckpointTest, NoBoundaryIsInsideWhileAPartOfAnotherTransactionIsLeft) {
  source_.transactions = {{"a", "b", "c"}};
  sink_.boundaries_left = 1;
  Work();
  auto kept = DecodeCheckpoint(*sink_.kept, "shop", "kept").value();
  kept.part->place = "22222222-2222-2222-2222-222222222222:7";
  sink_.kept = EncodeCheckpoint(kept).value();
  sink_.boundaries_left = 1;
  Start();
  Work();
  EXPECT_EQ(KeptPart()->place, "22222222-2222-2222-2222-222222222222:7");
  EXPECT_THAT(Delivered(), ElementsAre("a", "b", "a", "b", "c"));
}

}  // namespace
}  // namespace outboxd
