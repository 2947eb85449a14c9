#include "daemon/relay/read_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "daemon/relay/sqlite_read_ledger.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/fake_tables.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using binlog::DdlEffect;
using binlog::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::StartsWith;
using Described = ReadTables::Described;

binlog::TableToRead Table(const std::string& name, const std::string& payload_type = "json") {
  binlog::TableToRead table;
  table.facts.schema_name = "shop";
  table.facts.table_name = name;
  table.facts.columns = {{.name = "id", .type = "bigint"},
                         {.name = "payload", .type = payload_type}};
  table.key = {"PRIMARY", {{"id", "bigint", ""}}};
  return table;
}

// The tables bills, calls and deals, each of a selection of its own. The place of a key is its
// bytes.
class Server : public NoTables {
 public:
  binlog::Result<std::vector<binlog::TableToRead>> Describe(std::string_view,
                                                            std::string_view pattern) override {
    if (fails) return Fail(ErrorKind::kDisconnected, "gone");
    const auto found = tables.find(std::string(pattern));
    if (found == tables.end()) return std::vector<binlog::TableToRead>();
    return std::vector<binlog::TableToRead>{found->second};
  }
  binlog::Result<std::optional<binlog::KeyValues>> HighestKey(const binlog::TableToRead& table,
                                                              bool waits_for_commits) override {
    if (fails) return Fail(ErrorKind::kDisconnected, "gone");
    asked.push_back(table.facts.table_name + (waits_for_commits ? " waits" : ""));
    return binlog::KeyValues{"9"};
  }
  binlog::Result<std::vector<binlog::KeyPlace>> PlacesOf(
      const binlog::TableKey&, const std::vector<binlog::KeyValues>& keys) override {
    if (fails_at_places) return Fail(ErrorKind::kDisconnected, "gone");
    std::vector<binlog::KeyPlace> places;
    for (const binlog::KeyValues& key : keys) places.push_back("place " + key.at(0));
    return places;
  }

  std::map<std::string, binlog::TableToRead> tables = {
      {"bills", Table("bills")}, {"calls", Table("calls")}, {"deals", Table("deals")}};
  bool fails = false;
  bool fails_at_places = false;
  std::vector<std::string> asked;  // For highest keys.
};

class ReadTablesTest : public ::testing::Test {
 protected:
  ReadTablesTest() {
    for (const char* name : {"bills", "calls", "deals"}) {
      auto& selection = selections_.emplace_back();
      selection.schema_pattern = "shop";
      selection.table_pattern = name;
      selection.columns = {"payload"};
    }
    Start();
  }

  // A process begins with this progress of the read.
  void Start(const std::vector<TableReadState>& states = {}) {
    Progress progress;
    progress.read = InitialRead{.tables = states};
    tracker_.emplace(progress);
    tables_.emplace(ReadTables::Parts{selections_, server_, ledger_, *tracker_, told_, liveness_},
                    std::chrono::milliseconds(160'000));
  }
  static TableReadState UpTo(const std::string& table, const std::string& key) {
    return {
        .schema_name = "shop", .table_name = table, .last_key = {{"id", "bigint", key}}, .rows = 3};
  }
  static TableReadState Done(const std::string& table) {
    return {.schema_name = "shop", .table_name = table, .is_done = true};
  }
  Described Describe() { return tables_->Describe().value(); }
  const ReadTable& At(std::size_t table) const { return tables_->all()[table]; }
  void HandOver(std::size_t table, const std::optional<std::string>& key) {
    tracker_->Begin();
    std::optional<ReadCursor> end;
    if (key) end = ReadCursor{{*key}, "place " + *key};
    tables_->HandOver(table, 2, end);
  }
  static binlog::Transaction Ddl(const std::string& text, DdlEffect effect) {
    binlog::Transaction transaction;
    transaction.file = "binlog.000003";
    transaction.ddl = text;
    transaction.ddl_effect = effect;
    return transaction;
  }
  // The table, the key and whether it is done of what is acknowledged.
  std::vector<std::string> Acknowledged() {
    std::vector<std::string> texts;
    const Progress progress = tracker_->progress();
    for (const TableReadState& state : progress.read->tables) {
      texts.push_back(fmt::format("{} {}{}", state.table_name,
                                  state.last_key.empty() ? "-" : state.last_key[0].value,
                                  state.is_done ? " done" : ""));
    }
    return texts;
  }
  std::vector<std::string> Alarms() {
    std::vector<std::string> texts;
    const auto standing = alarms_.Standing();
    for (const Alarm& alarm : standing.value()) texts.push_back(alarm.text);
    return texts;
  }

  CapturedLog log_;
  FakeClock clock_;
  Liveness liveness_{clock_};
  TemporaryDirectory directory_;
  AlarmLog alarms_{directory_.path()};
  ReadAlarms told_{&alarms_};
  Server server_;
  SqliteReadLedger ledger_{""};
  std::vector<binlog::TableSelection> selections_;
  std::optional<DeliveryTracker> tracker_;
  std::optional<ReadTables> tables_;
};

TEST_F(ReadTablesTest, AreTheTablesOfAllSelectionsInTheirOrder) {
  EXPECT_TRUE(tables_->must_be_described());
  EXPECT_EQ(Describe(), Described::kFirst);
  EXPECT_FALSE(tables_->must_be_described());
  ASSERT_EQ(tables_->all().size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(At(i).table_name(), selections_[i].table_pattern);
    EXPECT_EQ(At(i).selection, i);
  }
  EXPECT_FALSE(tables_->has_begun());
  EXPECT_THAT(tables_->Next(), Optional(0u));
}

TEST_F(ReadTablesTest, ATableGoesOnBehindTheAcknowledgedKey) {
  Start({UpTo("bills", "7")});
  ASSERT_EQ(Describe(), Described::kFirst);
  ASSERT_TRUE(At(0).handed && At(0).acknowledged);
  EXPECT_THAT(At(0).handed->key, ElementsAre("7"));
  EXPECT_EQ(At(0).acknowledged->place, "place 7");
  EXPECT_EQ(At(0).rows_handed, 3u);
  EXPECT_FALSE(At(1).handed);
  EXPECT_TRUE(tables_->has_begun());
  EXPECT_THAT(tables_->Next(), Optional(0u));
}

TEST_F(ReadTablesTest, ATableThatWasReadToItsEndIsNotReadAgain) {
  Start({Done("bills")});
  ASSERT_EQ(Describe(), Described::kFirst);
  EXPECT_THAT(tables_->Next(), Optional(1u));
  EXPECT_THAT(tables_->WithoutBound(), Optional(1u));
}

TEST_F(ReadTablesTest, AStoredKeyOfAnotherTypeBeginsItsTableAgain) {
  TableReadState state = UpTo("bills", "7");
  state.last_key[0].type = "int";
  Start({state});
  ASSERT_EQ(Describe(), Described::kFirst);
  EXPECT_FALSE(At(0).handed);
  EXPECT_THAT(log_.text(), HasSubstr("the key of table shop.bills was altered: its initial read"));
}

TEST_F(ReadTablesTest, AStoredTableThatIsGoneIsToldOnceAndForgotten) {
  server_.tables.erase("bills");
  Start({UpTo("bills", "7"), UpTo("calls", "2")});
  ASSERT_EQ(Describe(), Described::kFirst);
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("table shop.bills is gone")));
  EXPECT_THAT(Acknowledged(), ElementsAre("calls 2"));
}

TEST_F(ReadTablesTest, AStoredTableThatWasDoneMayBeGone) {
  server_.tables.erase("bills");
  Start({Done("bills")});
  ASSERT_EQ(Describe(), Described::kFirst);
  EXPECT_THAT(Alarms(), IsEmpty());
}

TEST_F(ReadTablesTest, WithoutAnAnswerTheyAreToBeDescribedYet) {
  Start({UpTo("bills", "7")});
  for (bool Server::* fails : {&Server::fails, &Server::fails_at_places}) {
    server_.*fails = true;
    EXPECT_EQ(tables_->Describe().error().kind, ErrorKind::kDisconnected);
    EXPECT_TRUE(tables_->must_be_described());
    server_.*fails = false;
  }
  EXPECT_EQ(Describe(), Described::kFirst);
}

TEST_F(ReadTablesTest, DescribedAgainTheyAreAlikeThoughATableWasAdded) {
  server_.tables.erase("deals");
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.tables.emplace("deals", Table("deals"));
  EXPECT_EQ(Describe(), Described::kAlike);
  EXPECT_EQ(tables_->all().size(), 2u) << "what is new comes by the stream";
}

TEST_F(ReadTablesTest, AnAlteredTableBeginsAgainAndTheOthersDoNot) {
  Start({UpTo("bills", "7"), UpTo("calls", "2")});
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.tables["bills"] = Table("bills", "text");
  EXPECT_EQ(Describe(), Described::kAltered);
  EXPECT_FALSE(At(0).handed);
  EXPECT_TRUE(At(1).handed);
  EXPECT_THAT(Acknowledged(), ElementsAre("bills -", "calls 2"));
  EXPECT_THAT(log_.text(),
              HasSubstr("table shop.bills was altered: its initial read begins again"));
  EXPECT_EQ(Describe(), Described::kAlike);
}

TEST_F(ReadTablesTest, AnAlteredTableThatIsAcknowledgedToItsEndIsOfNoConcern) {
  Start({Done("bills")});
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.tables["bills"] = Table("bills", "text");
  EXPECT_EQ(Describe(), Described::kAlike);
}

TEST_F(ReadTablesTest, ATableThatIsGoneIsToldOnceAndStaysGone) {
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.tables.erase("calls");
  EXPECT_EQ(Describe(), Described::kAlike);
  EXPECT_TRUE(At(1).is_gone);
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("table shop.calls is gone")));
  ASSERT_TRUE(alarms_.Acknowledge());
  server_.tables.emplace("calls", Table("calls"));
  EXPECT_EQ(Describe(), Described::kAlike);
  EXPECT_TRUE(At(1).is_gone) << "bills new table of its name comes by the stream";
  EXPECT_THAT(Alarms(), IsEmpty());
}

TEST_F(ReadTablesTest, ATableWhoseDropWasToldIsNotToldToBeGone) {
  ASSERT_EQ(Describe(), Described::kFirst);
  ASSERT_TRUE(tables_->OnDdl(Ddl("DROP TABLE shop.calls", DdlEffect::kLosesRows)));
  server_.tables.erase("calls");
  EXPECT_EQ(Describe(), Described::kAlike);
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("'DROP TABLE shop.calls' while")));
}

TEST_F(ReadTablesTest, ThatATableIsGoneIsTriedAgainUntilItIsRecorded) {
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.tables.erase("calls");
  const std::string away = directory_.path() + "-away";
  std::filesystem::rename(directory_.path(), away);
  EXPECT_EQ(tables_->Describe().error().kind, ErrorKind::kSpill);
  std::filesystem::rename(away, directory_.path());
  EXPECT_EQ(Describe(), Described::kAlike);
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("table shop.calls is gone")));
}

TEST_F(ReadTablesTest, AnAlteredTableIsNotOverlookedWhereATableThatIsGoneCannotBeToldYet) {
  Start({UpTo("bills", "7")});
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.tables["bills"] = Table("bills", "text");
  server_.tables.erase("calls");
  const std::string away = directory_.path() + "-away";
  std::filesystem::rename(directory_.path(), away);
  EXPECT_EQ(tables_->Describe().error().kind, ErrorKind::kSpill);
  EXPECT_TRUE(At(0).handed) << "it is still the one that the log is read for";
  std::filesystem::rename(away, directory_.path());
  EXPECT_EQ(Describe(), Described::kAltered);
  EXPECT_FALSE(At(0).handed);
}

TEST_F(ReadTablesTest, AStatementThatAltersHasThemDescribedAndIsNoAlarm) {
  ASSERT_EQ(Describe(), Described::kFirst);
  ASSERT_TRUE(tables_->OnDdl(Ddl("", DdlEffect::kNone)));
  EXPECT_FALSE(tables_->must_be_described());
  ASSERT_TRUE(tables_->OnDdl(Ddl("ALTER TABLE shop.bills ADD x INT", DdlEffect::kAlters)));
  EXPECT_TRUE(tables_->must_be_described());
  EXPECT_THAT(Alarms(), IsEmpty());
}

TEST_F(ReadTablesTest, OnlyAStatementThatMayNameATableThatIsNotDoneIsAnAlarm) {
  Start({Done("bills"), UpTo("calls", "2"), Done("deals")});
  ASSERT_EQ(Describe(), Described::kFirst);
  for (const char* text : {"TRUNCATE TABLE shop.bills", "TRUNCATE TABLE shop.x"}) {
    ASSERT_TRUE(tables_->OnDdl(Ddl(text, DdlEffect::kLosesRows)));
    EXPECT_TRUE(tables_->must_be_described()) << text;
  }
  EXPECT_THAT(Alarms(), IsEmpty());
  ASSERT_TRUE(tables_->OnDdl(Ddl("TRUNCATE `CALLS`", DdlEffect::kLosesRows)));
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("'TRUNCATE `CALLS`' while")));
}

TEST_F(ReadTablesTest, AStatementWhoseNamesAreNotKnownIsAnAlarm) {
  const std::string cut = "DROP TABLE " + std::string(binlog::kStatementBytesMax - 11, 'x');
  for (const std::string& text : {std::string(), cut, std::string("DROP DATABASE shop")}) {
    Start();
    ASSERT_EQ(Describe(), Described::kFirst);
    ASSERT_TRUE(tables_->OnDdl(Ddl(text, DdlEffect::kLosesRows)));
    EXPECT_EQ(alarms_.Acknowledge().value().size(), 1u) << text;
  }
}

TEST_F(ReadTablesTest, EachHighestKeyIsAskedForOnceUntilItIsForgotten) {
  ASSERT_EQ(Describe(), Described::kFirst);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_THAT(tables_->WithoutBound(), Optional(i));
    ASSERT_TRUE(tables_->FindBound(i, i == 1));
  }
  EXPECT_FALSE(tables_->WithoutBound());
  EXPECT_THAT(server_.asked, ElementsAre("bills", "calls waits", "deals"));
  EXPECT_THAT(At(0).bound, Optional(ElementsAre("9")));
  HandOver(0, std::nullopt);
  tables_->ForgetBounds();
  EXPECT_THAT(tables_->WithoutBound(), Optional(1u)) << "that of bills needs none any more";
}

TEST_F(ReadTablesTest, ATableThatIsGoneOrHasNoKeyIsNotAskedForItsHighest) {
  server_.tables["bills"].key = {};
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.tables.erase("calls");
  ASSERT_EQ(Describe(), Described::kAlike);
  for (const std::size_t table : {0u, 1u}) ASSERT_TRUE(tables_->FindBound(table, false));
  EXPECT_THAT(tables_->WithoutBound(), Optional(2u));
  EXPECT_THAT(server_.asked, IsEmpty());
  EXPECT_FALSE(At(0).bound);
}

TEST_F(ReadTablesTest, AHighestKeyThatCannotBeAskedForIsAskedForYet) {
  ASSERT_EQ(Describe(), Described::kFirst);
  server_.fails = true;
  EXPECT_EQ(tables_->FindBound(0, false).error().kind, ErrorKind::kDisconnected);
  EXPECT_THAT(tables_->WithoutBound(), Optional(0u));
}

TEST_F(ReadTablesTest, AChunkMovesItsTableAndTheLastOneTheTurnToTheNext) {
  ASSERT_EQ(Describe(), Described::kFirst);
  HandOver(0, "2");
  EXPECT_THAT(tables_->Next(), Optional(0u));
  EXPECT_EQ(At(0).handed->place, "place 2");
  HandOver(0, std::nullopt);
  EXPECT_THAT(tables_->Next(), Optional(1u));
  EXPECT_EQ(At(0).rows_handed, 4u);
  HandOver(1, std::nullopt);
  HandOver(2, std::nullopt);
  EXPECT_FALSE(tables_->Next());
}

TEST_F(ReadTablesTest, WhatIsAcknowledgedTheLedgerForgets) {
  ASSERT_EQ(Describe(), Described::kFirst);
  for (const char* place : {"place 1", "place 2", "place 3"}) {
    ASSERT_TRUE(ledger_.AddArrival(0, place));
  }
  HandOver(0, "2");
  EXPECT_TRUE(tables_->has_unacknowledged()) << "its tracker was not asked";
  tables_->TakeAcknowledged();  // It had no message.
  EXPECT_FALSE(tables_->has_unacknowledged());
  EXPECT_EQ(At(0).acknowledged->place, "place 2");
  EXPECT_FALSE(ledger_.LeavesOut(0, "place 2").value());
  EXPECT_TRUE(ledger_.LeavesOut(0, "place 3").value());
  HandOver(0, std::nullopt);
  tables_->TakeAcknowledged();
  EXPECT_TRUE(At(0).is_acknowledged);
  EXPECT_FALSE(ledger_.LeavesOut(0, "place 3").value());
  EXPECT_THAT(log_.text(), HasSubstr("read 4 rows of shop.bills"));
}

TEST_F(ReadTablesTest, StartedOverTheyGoBackToWhatIsAcknowledged) {
  ASSERT_EQ(Describe(), Described::kFirst);
  HandOver(0, "2");
  tables_->TakeAcknowledged();
  tracker_->Begin();
  (void)tracker_->NextId();  // A message that is not acknowledged.
  tables_->HandOver(0, 5, ReadCursor{{"3"}, "place 3"});
  HandOver(0, std::nullopt);
  tables_->TakeAcknowledged();
  EXPECT_TRUE(tables_->has_unacknowledged());
  tables_->StartOver();
  EXPECT_FALSE(tables_->has_unacknowledged());
  EXPECT_EQ(At(0).handed->place, "place 2");
  EXPECT_EQ(At(0).rows_handed, 2u);
  EXPECT_THAT(tables_->Next(), Optional(0u));
}

TEST_F(ReadTablesTest, FinishedTheTrackersProgressIsOfTheStream) {
  ASSERT_EQ(Describe(), Described::kFirst);
  for (const std::size_t table : {0u, 1u, 2u}) HandOver(table, std::nullopt);
  EXPECT_THAT(Acknowledged(), ElementsAre("bills - done", "calls - done", "deals - done"));
  tables_->Finish();
  EXPECT_FALSE(tracker_->progress().read);
}

}  // namespace
}  // namespace outboxd
