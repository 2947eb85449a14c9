#include "daemon/relay/table_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "daemon/relay/relay_core.h"
#include "daemon/relay/sqlite_read_ledger.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/fake_source.h"
#include "tests/daemon/fake_tables.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using binlog::ErrorKind;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Kind = LoggedTransaction::Kind;

constexpr std::string_view kUuid = FakeSource::kUuid;
constexpr const char* kXid = "X'78',X'',1";

std::vector<OutboxMapping> Mappings() {
  OutboxConfig config;
  config.key = "id";
  config.headers = {{.value = "aggregateid", .name = "aggregate"}};
  std::vector<OutboxMapping> mappings;
  mappings.push_back(OutboxMapping::Compile(config).value());
  return mappings;
}

// A read of shop.outbox with the rows a to e, in chunks of two, that begins behind the server's
// first transaction.
class TableFeedTest : public ::testing::Test {
 protected:
  TableFeedTest() {
    source_.transactions = {{"before"}};
    for (const char* id : {"a", "b", "c", "d", "e"}) tables_.rows[id] = "old";
    settings_.name = "shop";
    settings_.table_patterns = {"shop.outbox"};
    settings_.buffer.spill_directory = settings_.read.buffer.spill_directory = directory_.path();
    settings_.read.chunk_rows_first = settings_.read.chunk_rows_max = 2;
    progress_.server_uuid = kUuid;
    progress_.position.gtids = binlog::GtidSet::Parse(fmt::format("{}:1", kUuid)).value();
    progress_.read = InitialRead{};
  }

  // What a session does to the table and the log.
  void Insert(const std::string& id) {
    tables_.rows[id] = "new";
    source_.transactions.push_back(LoggedTransaction{id}.WithPayload("new"));
  }
  void Delete(const std::string& id, bool is_whole = true) {
    source_.transactions.push_back(LoggedTransaction::Delete(id).WithPayload(tables_.rows.at(id)));
    if (!is_whole) source_.transactions.back().LeaveOutKeys();
    tables_.rows.erase(id);
  }
  void Update(const std::string& id) {
    source_.transactions.push_back(
        LoggedTransaction::Update(id).WithPayloads(tables_.rows.at(id), "updated"));
    tables_.rows[id] = "updated";
  }
  void Move(const std::string& id, const std::string& new_id) {
    const std::string payload = tables_.rows.at(id);
    source_.transactions.push_back(
        LoggedTransaction::Move(id, new_id).WithPayloads(payload, payload));
    tables_.rows.erase(id);
    tables_.rows[new_id] = payload;
  }
  void RunDdl(const std::string& text) {
    source_.transactions.push_back(LoggedTransaction::Ddl(text));
  }

  // At the n-th call of this name, before it is answered.
  void At(std::string_view call, int number, const std::function<binlog::Result<void>()>& act) {
    tables_.on_call = [=, left = number](std::string_view name) mutable -> binlog::Result<void> {
      if (name == call && --left == 0) return act();
      return {};
    };
  }
  void FailAt(std::string_view call, int number, ErrorKind kind) {
    At(call, number, [kind] { return Fail(kind, "injected"); });
  }

  void Start() {
    core_.reset();
    ledger_.emplace(ledger_directory_);
    core_.emplace(RelayCore::World{.source = source_,
                                   .tables = tables_,
                                   .ledger = *ledger_,
                                   .sink = owner_,
                                   .store = nullptr,
                                   .state = &state_,
                                   .alarms = &alarms_,
                                   .journal = nullptr,
                                   .character_sets = character_sets_,
                                   .liveness = liveness_,
                                   .outages = outages_,
                                   .clock = clock_},
                  settings_, progress_, Selections(), Mappings());
  }
  // A new process, which knows what was acknowledged and stored.
  void Restart() {
    progress_ = MakeProgress(
        MakeCheckpoint(core_->tracker().progress(), settings_.name, settings_.table_patterns, 0));
    sink_.in_flight.clear();
    Start();
  }
  Result<void> Work(bool acknowledge = true, int steps = 400) {
    if (!core_) Start();
    for (int i = 0; i < steps; ++i) {
      auto step = core_->relay().ReadStep();
      if (!step) return std::unexpected(step.error());
      if (step->kind == Step::Kind::kStopped) return {};
      clock_.Move(step->pause);
      if (acknowledge) sink_.AcknowledgeAll();
      Report();
    }
    return {};
  }
  // Until so many chunks were asked for.
  void WorkUntilReads(std::size_t count, bool acknowledge = true) {
    for (int i = 0; tables_.reads.size() < count; ++i) {
      ASSERT_LT(i, 1000);
      ASSERT_TRUE(Work(acknowledge, 1));
    }
  }
  void Report() {
    sinks::DeliveryReports reports;
    sink_.Poll(milliseconds(0), reports);
    core_->tracker().Report(reports);
  }

  // As a failing disk would.
  void CutLedger() {
    int cut = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
      if (!target.starts_with(directory_ / "initial-read-")) continue;
      if (ftruncate(std::stoi(entry.path().filename()), 0) == 0) ++cut;
    }
    ASSERT_EQ(cut, 1);
  }

  // "ID PAYLOAD" of each message.
  std::vector<std::string> Delivered() {
    std::vector<std::string> sent;
    for (const auto& message : sink_.delivered) sent.push_back(message.key + " " + message.value);
    return sent;
  }
  bool IsDone() { return !core_->tracker().progress().read; }
  std::vector<std::string> Alarms() {
    std::vector<std::string> texts;
    const auto standing = alarms_.Standing();
    for (const Alarm& alarm : standing.value()) texts.push_back(alarm.position + " " + alarm.text);
    return texts;
  }

  CapturedLog log_;
  TemporaryDirectory directory_;
  StateDirectory state_{directory_.path()};
  AlarmLog alarms_{directory_.path()};
  FakeClock clock_;
  FakeSource source_;
  FakeTables tables_{source_};
  FakeSink sink_;
  Liveness liveness_{clock_};
  Outages outages_{clock_};
  SinkOwner owner_{sink_, FakeSink::kWords, liveness_, outages_, clock_};
  binlog::CharacterSets character_sets_;
  RelayCore::Settings settings_;
  Progress progress_;
  std::string ledger_directory_ = directory_.path();
  std::optional<SqliteReadLedger> ledger_;
  std::optional<RelayCore> core_;

 private:
  static std::vector<binlog::TableSelection> Selections() {
    binlog::TableSelection selection;
    selection.schema_pattern = "shop";
    selection.table_pattern = "outbox";
    selection.columns = Mappings()[0].columns();
    return {selection};
  }
};

TEST_F(TableFeedTest, ReadsChunksInOrderUpToTheHighestKeyAndThenTheStream) {
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
  EXPECT_THAT(tables_.reads, ElementsAre("-e", "b-e", "d-e"));
  EXPECT_FALSE(tables_.has_locked);
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  Insert("f");
  ASSERT_TRUE(Work());
  EXPECT_EQ(Delivered().back(), "f new");
}

TEST_F(TableFeedTest, PositionStaysAtTheBeginningUntilTheReadIsDone) {
  Insert("f");
  ASSERT_TRUE(Work(false));
  EXPECT_FALSE(IsDone());
  EXPECT_EQ(core_->tracker().progress().position.gtids.ToText(), fmt::format("{}:1", kUuid));
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(core_->tracker().progress().position.gtids.ToText(), fmt::format("{}:1-2", kUuid));
}

// What came since has to be read yet.
TEST_F(TableFeedTest, TheAcknowledgedPlaceIsWhereTheReadBeganUntilItIsDone) {
  Insert("f");
  ASSERT_TRUE(Work(false));
  const auto place = core_->tracker().standing().place;
  ASSERT_TRUE(place);
  EXPECT_LT(place->offset, source_.EndOfLog().offset);
  sink_.Acknowledge();
  Report();
  EXPECT_EQ(core_->tracker().standing().place->offset, place->offset);
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(core_->tracker().standing().place->offset, source_.EndOfLog().offset);
}

TEST_F(TableFeedTest, WhereNothingCameSinceTheReadBeganItsPlaceIsTheEnd) {
  ASSERT_TRUE(Work(false));
  EXPECT_FALSE(IsDone());
  const auto place = core_->tracker().standing().place;
  ASSERT_TRUE(place);
  EXPECT_EQ(place->offset, source_.EndOfLog().offset);
}

TEST_F(TableFeedTest, AnEmptyTableIsReadAtOnce) {
  tables_.rows.clear();
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_THAT(tables_.reads, IsEmpty());
  EXPECT_THAT(Delivered(), IsEmpty());
}

TEST_F(TableFeedTest, WithoutATableTheStreamBeginsAtOnce) {
  tables_.exists = false;
  Insert("f");
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_THAT(Delivered(), ElementsAre("f new"));
}

TEST_F(TableFeedTest, ARowInsertedSinceComesOnceByTheStream) {
  At("Read", 2, [this]() -> binlog::Result<void> {
    Insert("cc");
    return {};
  });
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old", "cc new"));
}

TEST_F(TableFeedTest, ARowThatChangedSinceComesAsItWas) {
  Update("b");
  Delete("d");
  At("Read", 2, [this]() -> binlog::Result<void> {
    Update("c");
    return {};
  });
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ARowDeletedBetweenItsChunkAndTheEndOfTheLogComesOnce) {
  At("EndOfLog", 1, [this]() -> binlog::Result<void> {
    Delete("a");
    Delete("b");
    return {};
  });
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ARowThatMovedForwardComesFromWhereItWas) {
  At("Read", 2, [this]() -> binlog::Result<void> {
    Move("c", "dd");
    return {};
  });
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ARowThatMovedBackBehindTheReadComesFromWhereItWas) {
  At("Read", 2, [this]() -> binlog::Result<void> {
    Move("e", "aa");
    return {};
  });
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, TheLastChunkGivesBackWhatStoodBehindTheHighestKey) {
  Delete("e");
  ASSERT_TRUE(Work());
  EXPECT_THAT(tables_.reads, ElementsAre("-d", "b-d", "d-d"));
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ADeletedRowThatTheLogHoldsAPartOfIsAnAlarm) {
  Delete("c", false);
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "d old", "e old"));
  EXPECT_THAT(Alarms(), ElementsAre(testing::StartsWith(
                            "table:shop.outbox:c the row with key c of table shop.outbox went")));
}

// After a restart they are met together with those that were met before it.
TEST_F(TableFeedTest, EachRowThatTheLogHasAPartOfOnlyIsNamed) {
  Delete("c", false);
  WorkUntilReads(2, false);
  Delete("d", false);
  Delete("e", false);
  Restart();
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_THAT(Alarms(), ElementsAre(HasSubstr("the row with key c of table shop.outbox went"),
                                    HasSubstr("the rows with the keys c, d, e of table")));
}

TEST_F(TableFeedTest, TheProgressCountsTheRowsThatAreAcknowledged) {
  WorkUntilReads(3);
  const auto read = core_->tracker().progress().read;
  ASSERT_TRUE(read && read->tables.size() == 1);
  EXPECT_EQ(read->tables[0].rows, 4u);
  EXPECT_THAT(read->tables[0].last_key,
              ElementsAre(ReadKeyPart{"id", "varchar(100) utf8mb4_bin", "d"}));
}

TEST_F(TableFeedTest, WaitsForWhatWasPreparedBeforeItBeganAndReadsItsRows) {
  tables_.prepared = {kXid};
  ASSERT_TRUE(Work());
  EXPECT_THAT(tables_.reads, IsEmpty());
  EXPECT_THAT(log_.text(), HasSubstr("waits for 1 XA transaction prepared before it began (X'78'"));
  tables_.prepared = std::set<std::string>();
  tables_.rows["f"] = "xa";  // Behind what was the highest key.
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old", "f xa"));
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(core_->changes().counts().unknown_decisions, 0u) << "the stream knows of it";
}

TEST_F(TableFeedTest, GoesOnWhenWhatWasPreparedIsRolledBack) {
  tables_.prepared = {kXid};
  ASSERT_TRUE(Work());
  EXPECT_FALSE(IsDone());
  tables_.prepared = std::set<std::string>();
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaRollback));
  ASSERT_TRUE(Work());
  EXPECT_EQ(Delivered().size(), 5u);
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, ADecisionBeforeTheQuestionForXaIsNoNewsForTheStream) {
  tables_.rows["f"] = "xa";
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  ASSERT_TRUE(Work());
  EXPECT_EQ(Delivered().back(), "f xa");
  EXPECT_EQ(core_->changes().counts().unknown_decisions, 0u);
}

// The new source decides it once more, and otherwise.
TEST_F(TableFeedTest, ADecisionThatAFailoverTookBackIsToldWhenItIsMadeOtherwise) {
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaRollback));
  WorkUntilReads(1);
  ASSERT_TRUE(Work(false));
  EXPECT_EQ(core_->tracker().progress().position.gtids.ToText(), fmt::format("{}:1-2", kUuid));
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(core_->changes().counts().unknown_decisions, 0u);
  source_.lost = binlog::GtidSet::Parse(fmt::format("{}:2", kUuid)).value();
  source_.fails_after = 0;
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  ASSERT_TRUE(Work());
  EXPECT_THAT(Alarms(), testing::Contains(HasSubstr("XA transaction X'78',X'',1 was committed")));
}

TEST_F(TableFeedTest, ADecisionBehindWhatIsHandedOverIsTold) {
  WorkUntilReads(2);
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_THAT(Alarms(), ElementsAre(HasSubstr("XA transaction X'78',X'',1 was committed")));
}

TEST_F(TableFeedTest, ARestartWaitsForWhatIsPreparedToo) {
  tables_.prepared = {kXid};
  ASSERT_TRUE(Work());
  Restart();
  ASSERT_TRUE(Work());
  EXPECT_FALSE(IsDone());
  EXPECT_THAT(Delivered(), IsEmpty());
}

TEST_F(TableFeedTest, DoesNotWaitForWhatWasPreparedSince) {
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaPrepare, {"x"}));
  tables_.prepared = {kXid};
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(Delivered().size(), 5u);
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaCommit));
  ASSERT_TRUE(Work());
  EXPECT_EQ(Delivered().back(), "x p");
}

TEST_F(TableFeedTest, AnAccountThatMayNotAskForXaIsToldTheGrantOnceAndTheReadGoesOn) {
  tables_.prepared = std::nullopt;
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  const std::string text = log_.text();
  EXPECT_THAT(text, HasSubstr("GRANT XA_RECOVER_ADMIN ON *.* TO"));
  EXPECT_EQ(text.find("GRANT"), text.rfind("GRANT"));
}

TEST_F(TableFeedTest, AChunkThatIsTooLargeIsAskedForWithFewerRows) {
  settings_.read.chunk_rows_first = settings_.read.chunk_rows_max = 8;
  settings_.read.chunk_bytes_max = 8;  // Two rows.
  ASSERT_TRUE(Work());
  EXPECT_EQ(Delivered().size(), 5u);
  EXPECT_THAT(tables_.rows_asked, testing::Contains(8u));
  EXPECT_EQ(tables_.rows_asked[1], 2u);
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, ARowLargerThanAChunkIsReadAlone) {
  settings_.read.chunk_bytes_max = 8;
  tables_.rows["b"] = std::string(50, 'x');
  ASSERT_TRUE(Work());
  EXPECT_EQ(Delivered().size(), 5u);
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, ChunksGrowUpToHalfOfWhatTheyMayTake) {
  for (int i = 0; i < 200; ++i) tables_.rows[std::to_string(1000 + i)] = "old";
  settings_.read.chunk_rows_max = 1000;
  settings_.read.chunk_bytes_max = 4 * 100;  // A hundred rows, and a byte is counted for each.
  ASSERT_TRUE(Work(true, 2000));
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(tables_.rows_asked[1], 4u);
  EXPECT_EQ(std::ranges::max(tables_.rows_asked), 50u);
}

TEST_F(TableFeedTest, ATableWithoutAKeyIsReadInOnePiece) {
  tables_.has_key = false;
  Delete("b");
  Insert("f");
  ASSERT_TRUE(Work());
  EXPECT_THAT(tables_.reads, ElementsAre("-"));
  EXPECT_THAT(Delivered(),
              testing::UnorderedElementsAre("a old", "b old", "c old", "d old", "e old", "f new"));
  EXPECT_EQ(Delivered().back(), "f new");
}

TEST_F(TableFeedTest, ATableWithoutAKeyThatIsTooLargeEndsTheRunWithTheStatementThatHelps) {
  tables_.has_key = false;
  settings_.read.chunk_bytes_max = 8;
  const auto ended = Work();
  ASSERT_FALSE(ended);
  EXPECT_EQ(static_cast<int>(ended.error().kind), 78);
  EXPECT_THAT(ended.error().hint, testing::StartsWith("ALTER TABLE `shop`.`outbox` ADD COLUMN"));
}

TEST_F(TableFeedTest, AChunkWhoseEndOfTheLogIsNotKnownIsReadAgain) {
  FailAt("EndOfLog", 2, ErrorKind::kDisconnected);
  ASSERT_TRUE(Work());
  EXPECT_THAT(tables_.reads, ElementsAre("-e", "b-e", "b-e", "d-e"));
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ADisconnectAtEveryCallRepeatsAndLosesNothing) {
  for (const char* call : {"Open", "Describe", "PreparedXa", "HighestKey", "Read", "EndOfLog"}) {
    sink_.delivered.clear();
    core_.reset();
    FailAt(call, 1, ErrorKind::kDisconnected);
    ASSERT_TRUE(Work());
    EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old")) << call;
    EXPECT_TRUE(IsDone());
  }
}

TEST_F(TableFeedTest, ADisconnectWhileKeysAreComparedKeepsTheChanges) {
  Delete("c");
  FailAt("PlacesOf", 1, ErrorKind::kDisconnected);
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ADisconnectOfTheLogAnywhereRepeatsAndLosesNothing) {
  Delete("c");
  Insert("f");
  for (int events = 0; events < 30; ++events) {
    sink_.delivered.clear();
    core_.reset();
    source_.fails_after = events;
    ASSERT_TRUE(Work());
    EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old", "f new"))
        << events;
  }
}

TEST_F(TableFeedTest, TheOutageIsOverWhenTheLogIsOpenAgain) {
  Delete("c");
  source_.fails_after = 3;
  WorkUntilReads(3);
  EXPECT_EQ(source_.opened, 2);
  EXPECT_FALSE(IsDone());
  EXPECT_FALSE(core_->status().source);
}

TEST_F(TableFeedTest, DamageOfTheLogIsReadAgain) {
  Delete("c");
  source_.next_error = ErrorKind::kCorrupt;
  source_.fails_after = 5;
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ALogThatIsPurgedEndsTheRun) {
  source_.open_error = binlog::Error{ErrorKind::kGone, "purged"};
  EXPECT_EQ(Work().error().kind, ExitCode::kGap);
}

TEST_F(TableFeedTest, AnAccountThatMayNoLongerSelectIsWaitedOut) {
  FailAt("Read", 2, ErrorKind::kDenied);
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, AnotherServerIsReadFromTheBeginningOfItsLogAndKnowsNothingOfTheFormer) {
  Delete("e");
  At("EndOfLog", 3, [this]() -> binlog::Result<void> {
    source_.server_uuid = "22222222-2222-2222-2222-222222222222";
    return Fail(ErrorKind::kDisconnected, "gone");
  });
  WorkUntilReads(4);
  EXPECT_THAT(log_.text(), HasSubstr("goes on at server 22222222-2222"));
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
  EXPECT_EQ(core_->tracker().progress().server_uuid, source_.server_uuid);
}

TEST_F(TableFeedTest, AServerThatLacksWhatWasThereAtTheBeginningIsAnAlarm) {
  source_.lost = binlog::GtidSet::Parse(fmt::format("{}:1", kUuid)).value();
  ASSERT_TRUE(Work());
  EXPECT_THAT(Alarms(), ElementsAre(HasSubstr("may have been published by the initial read")));
}

TEST_F(TableFeedTest, AnAlteredTableIsReadFromItsBeginningAgain) {
  At("EndOfLog", 2, [this]() -> binlog::Result<void> {
    tables_.payload_type = "text";
    RunDdl("ALTER TABLE shop.outbox MODIFY payload TEXT");
    return {};
  });
  ASSERT_TRUE(Work());
  EXPECT_THAT(log_.text(), HasSubstr("shop.outbox was altered: its initial read begins again"));
  EXPECT_THAT(tables_.reads, ElementsAre("-e", "b-e", "-e", "b-e", "d-e"));
  EXPECT_THAT(Alarms(), IsEmpty());
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, AnAlteredTableIsDescribedWhenWhatIsInFlightIsAcknowledged) {
  At("EndOfLog", 2, [this]() -> binlog::Result<void> {
    tables_.payload_type = "text";
    RunDdl("ALTER TABLE shop.outbox MODIFY payload TEXT");
    return {};
  });
  ASSERT_TRUE(Work(false));
  EXPECT_EQ(sink_.in_flight.size(), 2u);
  sink_.Lose("fatal");
  Report();
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, ATableThatIsMadeSinceTheReadBeganIsLeftToTheStream) {
  tables_.exists = false;
  tables_.rows.clear();
  ASSERT_TRUE(Work(true, 1));
  tables_.exists = true;
  Insert("a");
  Restart();
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a new"));
}

TEST_F(TableFeedTest, ATableThatIsMadeAnewIsLeftToTheStream) {
  WorkUntilReads(2);
  tables_.exists = false;
  tables_.rows.clear();
  RunDdl("DROP TABLE shop.outbox");
  At("Read", 1, [] { return Fail(ErrorKind::kUnsuitable, "there is no such table"); });
  for (int i = 0; Alarms().empty() && i < 100; ++i) ASSERT_TRUE(Work(true, 1));
  tables_.exists = true;
  Insert("z");
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "z new"));
  EXPECT_FALSE(Alarms().empty());
}

TEST_F(TableFeedTest, AnAlterOfWhatIsNotReadChangesNothing) {
  WorkUntilReads(2);
  tables_.has_added_column = true;
  RunDdl("ALTER TABLE shop.outbox ADD COLUMN added INT");
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
  EXPECT_THAT(tables_.reads, ElementsAre("-e", "b-e", "d-e"));
}

TEST_F(TableFeedTest, ATableThatIsNotAsDescribedIsDescribedOnceMore) {
  FailAt("Read", 2, ErrorKind::kUnsuitable);
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ATableThatCannotBeReadEndsTheRun) {
  tables_.on_call = [](std::string_view call) -> binlog::Result<void> {
    if (call == "Read") return Fail(ErrorKind::kUnsuitable, "no column x");
    return {};
  };
  const auto ended = Work();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(ended.error().message, HasSubstr("no column x"));
}

TEST_F(TableFeedTest, TruncateRaisesAnAlarmOnce) {
  RunDdl("TRUNCATE TABLE shop.outbox");
  const std::string start = fmt::format("{}:2 'TRUNCATE TABLE shop.outbox' while", kUuid);
  ASSERT_TRUE(Work(false));
  ASSERT_FALSE(IsDone());
  EXPECT_THAT(Alarms(), ElementsAre(testing::StartsWith(start)));
  Restart();
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_THAT(Alarms(), ElementsAre(testing::StartsWith(start)));
}

TEST_F(TableFeedTest, OfADroppedTableTheLogGivesBackWhatItHolds) {
  WorkUntilReads(2);
  Delete("e");
  tables_.exists = false;
  tables_.rows.clear();
  RunDdl("DROP TABLE shop.outbox");
  At("Read", 1, [] { return Fail(ErrorKind::kUnsuitable, "there is no such table"); });
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_EQ(Delivered().back(), "e old");
  EXPECT_THAT(Alarms(), ElementsAre(HasSubstr("shop.outbox is gone"),
                                    HasSubstr("'DROP TABLE shop.outbox' while")));
}

TEST_F(TableFeedTest, ATableThatIsGoneSinceTheReadBeganIsToldOnce) {
  progress_.read->tables = {{.schema_name = "shop", .table_name = "outbox"},
                            {.schema_name = "shop", .table_name = "dropped"}};
  tables_.on_call = [](std::string_view call) -> binlog::Result<void> {
    if (call == "Read") return Fail(ErrorKind::kDisconnected, "injected");
    return {};
  };
  ASSERT_TRUE(Work());
  EXPECT_THAT(Alarms(), ElementsAre(HasSubstr("shop.dropped is gone")));
  ASSERT_TRUE(alarms_.Acknowledge());
  tables_.on_call = nullptr;
  Restart();
  ASSERT_TRUE(Work());
  EXPECT_THAT(Alarms(), IsEmpty());
  EXPECT_EQ(Delivered().size(), 5u);
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, AfterALostProducerItGoesOnBehindTheAcknowledgedChunk) {
  WorkUntilReads(3, false);
  sink_.Acknowledge();
  sink_.Acknowledge();
  sink_.Acknowledge();
  sink_.Lose("fatal");
  Report();
  tables_.reads.clear();
  ASSERT_TRUE(Work());
  EXPECT_THAT(tables_.reads, ElementsAre("b-e", "d-e"));
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "c old", "d old", "e old"));
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, ALostProducerDoesNotLoseWhatTheLogHasShown) {
  Delete("a");
  Update("d");
  ASSERT_TRUE(Work(false));
  sink_.Lose("fatal");
  Report();
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ABadEventInTheLastChunkHoldsAndTheReadIsNotDone) {
  tables_.without_type = {"e"};
  ASSERT_TRUE(Work());
  ASSERT_TRUE(core_->publisher().held());
  EXPECT_EQ(core_->publisher().held()->position, "table:shop.outbox:e");
  EXPECT_FALSE(IsDone());
  EXPECT_EQ(Delivered().size(), 4u);
  ASSERT_TRUE(state_.RequestSkip("table:shop.outbox:e"));
  ASSERT_TRUE(Work());
  EXPECT_FALSE(core_->publisher().held());
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, ARefusedMessageHoldsItsChunk) {
  ASSERT_TRUE(Work(false));
  while (sink_.in_flight.size() > 1) sink_.Acknowledge();
  sink_.Refuse("too large");  // "e"
  Report();
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(Work(false, 1));
    if (sink_.in_flight.size() == 1) sink_.Refuse("too large");
    Report();
  }
  ASSERT_TRUE(core_->publisher().held());
  EXPECT_FALSE(IsDone());
  ASSERT_TRUE(Work(true, 1000));
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, LetsTheServerPurgeWhileNothingCanBeSentAndReadsOnBehindIt) {
  Delete("c");
  sink_.room = 1;
  ASSERT_TRUE(Work(false, 40));
  EXPECT_EQ(source_.closed, 0);
  clock_.Move(milliseconds(600'000));
  ASSERT_TRUE(Work(false, 20));
  EXPECT_EQ(source_.closed, 1) << "once, whatever the number of attempts";
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedTest, AStopAtOnceEndsWithinTheChunk) {
  sink_.room = 1;
  ASSERT_TRUE(Work(false, 20));
  core_->relay().RequestStop(true);
  EXPECT_EQ(core_->relay().ReadStep()->kind, Step::Kind::kStopped);
  Restart();
  sink_.room = 1000;
  ASSERT_TRUE(Work());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, AStopEndsBehindTheChunkInHand) {
  sink_.room = 1;
  ASSERT_TRUE(Work(false, 20));
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  core_->relay().RequestStop();
  EXPECT_TRUE(source_.interrupted);
  EXPECT_TRUE(tables_.interrupted);
  ASSERT_TRUE(Work());
  EXPECT_EQ(core_->relay().ReadStep()->kind, Step::Kind::kStopped);
  sink_.AcknowledgeAll();
  Report();
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old"));
  EXPECT_FALSE(IsDone());
}

TEST_F(TableFeedTest, ARestartGoesOnBehindWhatIsAcknowledged) {
  Delete("d");
  WorkUntilReads(2);
  Restart();
  tables_.reads.clear();
  ASSERT_TRUE(Work());
  EXPECT_EQ(tables_.reads.front(), "b-e");
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

TEST_F(TableFeedTest, ARestartBehindAnAlterOfTheKeyBeginsTheTableAgain) {
  WorkUntilReads(2);
  progress_ = core_->tracker().progress();
  progress_.read->tables.at(0).last_key.at(0).type = "binary(16)";
  Start();
  tables_.reads.clear();
  ASSERT_TRUE(Work());
  EXPECT_EQ(tables_.reads.front(), "-e");
  EXPECT_THAT(log_.text(), HasSubstr("the key of table shop.outbox was altered"));
}

TEST_F(TableFeedTest, TheRateLimitHoldsForTheReadToo) {
  settings_.delivery.max_rate = 10;
  Start();
  const auto begin = clock_.Now();
  while (sink_.in_flight.size() < 5) ASSERT_TRUE(Work(false, 1));
  EXPECT_GE(clock_.Now() - begin, milliseconds(300));
  EXPECT_LE(clock_.Now() - begin, milliseconds(500));
}

TEST_F(TableFeedTest, ALedgerThatCannotBeWrittenIsWaitedOut) {
  ledger_directory_ = directory_ / "spill";
  Delete("c");
  ASSERT_TRUE(Work());
  EXPECT_FALSE(IsDone());
  EXPECT_THAT(Delivered(), IsEmpty());
  std::filesystem::create_directory(directory_ / "spill");
  ASSERT_TRUE(Work());
  EXPECT_TRUE(IsDone());
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old"));
}

// More than the ledger keeps in memory.
TEST_F(TableFeedTest, ALedgerThatIsDamagedIsMadeAnew) {
  LoggedTransaction deleted = LoggedTransaction::Delete("d0").WithPayload(std::string(200, 'x'));
  for (int i = 100'000; i < 150'000; ++i) deleted.ids.push_back("d" + std::to_string(i));
  source_.transactions.push_back(deleted);
  At("Read", 2, [this]() -> binlog::Result<void> {
    CutLedger();
    return {};
  });
  ASSERT_TRUE(Work(true, 300'000));
  EXPECT_TRUE(IsDone());
  EXPECT_GE(Delivered().size(), 50'006u);
}

// Without GTIDs.
class TableFeedByFileTest : public TableFeedTest {
 protected:
  TableFeedByFileTest() {
    source_.by_gtid = false;
    source_.transactions.clear();
    progress_.position = {};
    progress_.position.file = "binlog.000001";
    progress_.position.offset = FakeSource::kFirstOffset;
  }
};

TEST_F(TableFeedByFileTest, ReadsWithLocksThatWaitForCommits) {
  Delete("c");
  Insert("f");
  ASSERT_TRUE(Work());
  EXPECT_TRUE(tables_.has_locked);
  EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old", "f new"));
  EXPECT_TRUE(IsDone());
}

TEST_F(TableFeedByFileTest, ADisconnectOfTheLogAnywhereRepeatsAndLosesNothing) {
  Delete("c");
  Insert("f");
  for (int events = 0; events < 30; ++events) {
    sink_.delivered.clear();
    core_.reset();
    source_.fails_after = events;
    ASSERT_TRUE(Work());
    EXPECT_THAT(Delivered(), ElementsAre("a old", "b old", "c old", "d old", "e old", "f new"))
        << events;
  }
}

TEST_F(TableFeedByFileTest, AsksForPreparedXaOnceMoreBehindTheHighestKeys) {
  int asked = 0;
  tables_.on_call = [&](std::string_view call) -> binlog::Result<void> {
    if (call == "PreparedXa" && ++asked == 2) tables_.prepared = {kXid};
    if (call == "PreparedXa" && asked == 5) tables_.prepared = std::set<std::string>();
    return {};
  };
  ASSERT_TRUE(Work());
  EXPECT_EQ(asked, 6);
  EXPECT_TRUE(IsDone());
}

}  // namespace
}  // namespace outboxd
