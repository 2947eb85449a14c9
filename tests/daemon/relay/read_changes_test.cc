#include "daemon/relay/read_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/relay/sqlite_read_ledger.h"
#include "tests/daemon/fake_tables.h"

namespace outboxd {
namespace {

using binlog::ColumnValue;
using binlog::RowChange;
using testing::ElementsAre;
using testing::IsEmpty;

// The place of a key of one column is its bytes.
class BytesInOrder : public NoTables {
 public:
  binlog::Result<std::vector<binlog::KeyPlace>> PlacesOf(
      const binlog::TableKey&, const std::vector<binlog::KeyValues>& keys) override {
    ++asked;
    if (fails) return Fail(binlog::ErrorKind::kDisconnected, "gone");
    std::vector<binlog::KeyPlace> places;
    for (const binlog::KeyValues& key : keys) places.push_back(key.at(0));
    return places;
  }

  bool fails = false;
  int asked = 0;
};

ReadTable Table(bool has_key) {
  ReadTable table;
  table.description.facts.schema_name = "shop";
  table.description.facts.table_name = "outbox";
  if (has_key) table.description.key = {"PRIMARY", {{"id", "varchar(36)", "utf8mb4_bin"}}};
  table.columns = {"id", "payload"};
  table.kinds = {binlog::ValueKind::kText, binlog::ValueKind::kText};
  return table;
}

// Table 0 has the key id, table 1 none, table 2 is like table 0.
class ReadChangesTest : public ::testing::Test {
 protected:
  using Values = std::vector<ColumnValue>;

  void Insert(const Values& row, std::uint32_t table = 0) {
    changes_.Add(Made(RowChange::kInsert, table, row));
  }
  void Delete(const Values& row, std::uint32_t table = 0, bool is_partial = false) {
    binlog::Row made = Made(RowChange::kDelete, table, row);
    made.is_partial = is_partial;
    changes_.Add(made);
  }
  void Update(const Values& before, const Values& after, std::uint32_t table = 0,
              bool is_partial = false) {
    binlog::Row made = Made(RowChange::kUpdate, table, after);
    made.before = before;
    if (tables_[table].has_key()) made.key_before = std::span(before).first(1);
    made.is_partial = is_partial;
    changes_.Add(made);
  }
  binlog::Result<void> Enter() {
    auto losses = changes_.Enter(source_);
    if (!losses) return std::unexpected(losses.error());
    losses_.insert(losses_.end(), losses->begin(), losses->end());
    return {};
  }

  // The values of each image, "ID PAYLOAD", in the order of places.
  std::vector<std::string> Images(std::size_t table = 0) {
    std::vector<std::string> images;
    EXPECT_TRUE(ledger_.BeginImages(table, {}, {}));
    for (auto found = ledger_.NextImage(); found.value(); found = ledger_.NextImage()) {
      RowImage image;
      image.Decode((*found)->bytes);
      images.push_back(std::string(image.values()[0].value_or("NULL")) + " " +
                       std::string(image.values()[1].value_or("NULL")));
    }
    return images;
  }
  bool LeavesOut(std::string_view place, std::size_t table = 0) {
    return ledger_.LeavesOut(table, place).value();
  }
  std::string PlaceOf(const Values& row) { return PlaceOfValues(row, tables_[1].kinds); }

  std::vector<ReadTable> tables_{Table(true), Table(false), Table(true)};
  BytesInOrder source_;
  SqliteReadLedger ledger_{""};
  ReadChanges changes_{tables_, ledger_};
  std::vector<ReadChanges::Loss> losses_;

 private:
  binlog::Row Made(RowChange kind, std::uint32_t table, const Values& row) {
    binlog::Row made{.selection = table,
                     .schema_name = "shop",
                     .table_name = "outbox",
                     .values = row,
                     .kinds = tables_[table].kinds,
                     .change = kind};
    if (tables_[table].has_key()) made.key = std::span(row).first(1);
    return made;
  }
};

TEST_F(ReadChangesTest, AnInsertedRowArrivesAndHasNoImage) {
  Insert({"a", "new"});
  EXPECT_FALSE(changes_.empty());
  ASSERT_TRUE(Enter());
  EXPECT_TRUE(changes_.empty());
  EXPECT_TRUE(LeavesOut("a"));
  EXPECT_THAT(Images(), IsEmpty());
}

TEST_F(ReadChangesTest, ADeletedRowIsKeptAsItWas) {
  Delete({"a", "old"});
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(), ElementsAre("a old"));
  EXPECT_THAT(losses_, IsEmpty());
}

TEST_F(ReadChangesTest, ARowChangedInPlaceIsKeptAsItWasFirst) {
  Update({"a", "old"}, {"a", "newer"});
  Update({"a", "newer"}, {"a", "newest"});
  Delete({"a", "newest"});
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(), ElementsAre("a old"));
}

TEST_F(ReadChangesTest, AMovedRowIsKeptWhereItWasAndArrivesWhereItIs) {
  Update({"a", "old"}, {"b", "old"});
  Delete({"b", "old"});
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(), ElementsAre("a old"));
  EXPECT_TRUE(LeavesOut("b"));
}

TEST_F(ReadChangesTest, ARowInsertedAndDeletedSinceStaysArrived) {
  Insert({"a", "new"});
  Update({"a", "new"}, {"a", "newer"});
  Delete({"a", "newer"});
  ASSERT_TRUE(Enter());
  EXPECT_TRUE(LeavesOut("a"));
  EXPECT_THAT(Images(), IsEmpty());
}

TEST_F(ReadChangesTest, ReplaceGivesTheRowBackThatItReplaced) {
  Delete({"a", "old"});
  Insert({"a", "replaced"});
  Delete({"a", "replaced"});
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(), ElementsAre("a old"));
}

TEST_F(ReadChangesTest, RowsThatChangePlacesAreBothKept) {
  Update({"a", "one"}, {"x", "one"});
  Update({"b", "two"}, {"a", "two"});
  Update({"x", "one"}, {"b", "one"});
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(), ElementsAre("a one", "b two"));
  EXPECT_TRUE(LeavesOut("x"));
}

TEST_F(ReadChangesTest, AnImageKeepsNullsAndTheKey) {
  const std::vector<ColumnValue> values = {std::nullopt, "", std::string_view("\0x", 2)};
  const std::string bytes = RowImage::Encode(values, std::vector<std::string>{"k", ""});
  RowImage image;
  image.Decode(bytes);
  EXPECT_THAT(image.values(), testing::ElementsAreArray(values));
  EXPECT_THAT(image.key(), ElementsAre("k", ""));
}

TEST_F(ReadChangesTest, PlacesUpToTheAcknowledgedOneMatterNoMore) {
  tables_[0].acknowledged = ReadCursor{{"b"}, "b"};
  Delete({"a", "old"});
  Insert({"b", "new"});
  Update({"b", "old"}, {"c", "old"});
  ASSERT_TRUE(Enter());
  EXPECT_FALSE(LeavesOut("a"));
  EXPECT_FALSE(LeavesOut("b"));
  EXPECT_TRUE(LeavesOut("c"));
}

TEST_F(ReadChangesTest, WhatIsHandedOverButNotAcknowledgedStillMatters) {
  tables_[0].handed = ReadCursor{{"b"}, "b"};
  Delete({"a", "old"});
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(), ElementsAre("a old"));
}

TEST_F(ReadChangesTest, ChangesOfATableThatIsDoneAreIgnored) {
  tables_[0].is_acknowledged = true;
  Delete({"a", "old"});
  EXPECT_TRUE(changes_.empty());
}

TEST_F(ReadChangesTest, APartOfADeletedRowIsALossAndNoImage) {
  Delete({"a", std::nullopt}, 0, true);
  ASSERT_TRUE(Enter());
  ASSERT_EQ(losses_.size(), 1u);
  EXPECT_EQ(losses_[0].table, 0u);
  EXPECT_THAT(losses_[0].key, ElementsAre("a"));
  EXPECT_THAT(Images(), IsEmpty());
}

TEST_F(ReadChangesTest, APartOfAMovedRowIsALossAndTheRowArrives) {
  Update({"a", std::nullopt}, {"b", "old"}, 0, true);
  ASSERT_TRUE(Enter());
  EXPECT_EQ(losses_.size(), 1u);
  EXPECT_TRUE(LeavesOut("b"));
}

TEST_F(ReadChangesTest, APartOfARowThatStaysInItsPlaceIsNoLoss) {
  Update({"a", std::nullopt}, {"a", "newer"}, 0, true);
  ASSERT_TRUE(Enter());
  EXPECT_THAT(losses_, IsEmpty());
  EXPECT_FALSE(LeavesOut("a"));
}

TEST_F(ReadChangesTest, APartIsALossAlsoWhereTheRowIsHandedOverAndNotAcknowledged) {
  tables_[0].handed = ReadCursor{{"b"}, "b"};
  Delete({"b", std::nullopt}, 0, true);
  ASSERT_TRUE(Enter());
  EXPECT_EQ(losses_.size(), 1u) << "it may have to be sent again";
}

TEST_F(ReadChangesTest, APartIsNoLossWhereTheRowIsReadOrKnownAlready) {
  tables_[0].acknowledged = ReadCursor{{"b"}, "b"};
  Delete({"b", std::nullopt}, 0, true);  // Read.
  Insert({"c", "new"});
  Delete({"c", std::nullopt}, 0, true);  // The stream brings it.
  Update({"d", "old"}, {"d", "newer"});
  Delete({"d", std::nullopt}, 0, true);  // Its image is kept.
  ASSERT_TRUE(Enter());
  EXPECT_THAT(losses_, IsEmpty());
}

TEST_F(ReadChangesTest, RowsWithoutAKeyAreToldApartByTheirValues) {
  Delete({"a", "old"}, 1);
  Insert({"a", "new"}, 1);
  Update({"b", "old"}, {"b", "newer"}, 1);
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(1), ElementsAre("a old", "b old"));
  EXPECT_TRUE(LeavesOut(PlaceOf({"a", "new"}), 1));
  EXPECT_TRUE(LeavesOut(PlaceOf({"b", "newer"}), 1));
  EXPECT_EQ(source_.asked, 0);
}

TEST_F(ReadChangesTest, ManyChangesTakeOneQuestionForEachTable) {
  Update({"a", "old"}, {"b", "old"});
  Insert({"c", "new"});
  Delete({"a", "old"}, 2);
  ASSERT_TRUE(Enter());
  EXPECT_EQ(source_.asked, 2);
  EXPECT_FALSE(LeavesOut("a", 1));
  EXPECT_THAT(Images(2), ElementsAre("a old"));
}

TEST_F(ReadChangesTest, AnErrorOfTheServerLeavesEverythingAsItWas) {
  source_.fails = true;
  Delete({"a", "old"});
  Delete({"b", std::nullopt}, 0, true);
  for (int i = 0; i < 2; ++i) {
    const auto entered = Enter();
    ASSERT_FALSE(entered);
    EXPECT_EQ(entered.error().kind, binlog::ErrorKind::kDisconnected);
  }
  EXPECT_FALSE(changes_.empty());
  EXPECT_FALSE(LeavesOut("a"));
  EXPECT_THAT(losses_, IsEmpty());
  source_.fails = false;
  ASSERT_TRUE(Enter());
  EXPECT_THAT(Images(), ElementsAre("a old"));
  EXPECT_EQ(losses_.size(), 1u);
}

TEST_F(ReadChangesTest, ALedgerThatFailsIsTold) {
  SqliteReadLedger broken("/nowhere");
  ReadChanges changes(tables_, broken);
  const std::vector<ColumnValue> row = {"a", "new"};
  changes.Add({.selection = 0,
               .schema_name = "shop",
               .table_name = "outbox",
               .values = row,
               .key = std::span(row).first(1)});
  const auto entered = changes.Enter(source_);
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().kind, binlog::ErrorKind::kSpill);
}

TEST_F(ReadChangesTest, IsFullAtAMegabyteUntilTheyAreEntered) {
  const std::string payload(100'000, 'x');
  for (int i = 0; !changes_.is_full(); ++i) {
    ASSERT_LT(i, 11);
    Delete({std::to_string(i), payload});
  }
  ASSERT_TRUE(Enter());
  EXPECT_FALSE(changes_.is_full());
}

TEST_F(ReadChangesTest, ClearForgetsWhatWaits) {
  Delete({"a", "old"});
  changes_.Clear();
  EXPECT_TRUE(changes_.empty());
  ASSERT_TRUE(Enter());
  EXPECT_FALSE(LeavesOut("a"));
}

}  // namespace
}  // namespace outboxd
