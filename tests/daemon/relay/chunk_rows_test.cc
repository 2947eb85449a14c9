#include "daemon/relay/chunk_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/relay/sqlite_read_ledger.h"

namespace outboxd {
namespace {

using binlog::ErrorKind;
using testing::ElementsAre;
using testing::MatchesRegex;

ReadTable Table(const std::string& name, bool has_key) {
  ReadTable table;
  table.description.facts.schema_name = "shop";
  table.description.facts.table_name = name;
  if (has_key) table.description.key = {"PRIMARY", {{"id", "varchar(36)", "utf8mb4_bin"}}};
  table.selection = 7;
  table.columns = {"id", "payload"};
  table.kinds = {binlog::ValueKind::kText, binlog::ValueKind::kText};
  return table;
}

// The place of a key is its bytes in capital letters.
binlog::KeyPlace PlaceOf(std::string id) {
  std::ranges::transform(id, id.begin(), [](char c) { return static_cast<char>(c - 32); });
  return id;
}

class FailingLedger final : public ReadLedger {
 public:
  binlog::Result<void> Clear() override { return {}; }
  [[nodiscard]] bool has_failed() const override { return true; }
  binlog::Result<void> AddArrival(std::size_t, std::string_view) override { return {}; }
  binlog::Result<void> KeepImage(std::size_t, std::string_view, std::string_view) override {
    return {};
  }
  binlog::Result<bool> LeavesOut(std::size_t, std::string_view) override { return Meet(false); }
  binlog::Result<void> ForgetUpTo(std::size_t, std::string_view) override { return {}; }
  binlog::Result<void> ForgetTable(std::size_t) override { return {}; }
  binlog::Result<void> BeginImages(std::size_t, const std::optional<std::string>&,
                                   const std::optional<std::string>&) override {
    if (auto met = Meet(true); !met) return std::unexpected(met.error());
    return {};
  }
  binlog::Result<std::optional<Image>> NextImage() override {
    if (auto met = Meet(true); !met) return std::unexpected(met.error());
    return std::nullopt;
  }
  void EndImages() override {}

  int answers = 0;  // So many times before it fails.

 private:
  binlog::Result<bool> Meet(bool answer) {
    if (answers-- > 0) return answer;
    return Fail(ErrorKind::kSpill, "injected");
  }
};

// Table 0 has the key id, table 1 none.
class ChunkRowsTest : public ::testing::Test {
 protected:
  static binlog::ChunkRow Row(const std::string& id, bool has_key = true) {
    binlog::ChunkRow row;
    row.values = {id, "old"};
    if (has_key) row.key = {id};
    if (has_key) row.place = PlaceOf(id);
    return row;
  }
  static binlog::Chunk Chunk(const std::vector<std::string>& ids, bool is_last = false,
                             bool has_key = true) {
    binlog::Chunk chunk;
    for (const std::string& id : ids) chunk.rows.push_back(Row(id, has_key));
    chunk.is_last = is_last;
    return chunk;
  }
  void Arrive(const std::string& id) { ASSERT_TRUE(ledger_.AddArrival(0, PlaceOf(id))); }
  // What the row with this key was.
  void Keep(const std::string& id, const std::string& payload = "was") {
    const std::vector<binlog::ColumnValue> values = {id, payload};
    const std::vector<std::string> key = {id};
    ASSERT_TRUE(ledger_.KeepImage(0, PlaceOf(id), RowImage::Encode(values, key)));
  }
  void HandOver(const std::string& id) { tables_[0].handed = ReadCursor{{id}, PlaceOf(id)}; }

  // "POSITION ID PAYLOAD" of each row to the end.
  std::vector<std::string> Given(std::size_t table, binlog::Chunk chunk) {
    rows_.Take(table, std::move(chunk));
    EXPECT_TRUE(rows_.Begin());
    std::vector<std::string> given;
    for (auto row = rows_.Next(); row.value() != nullptr; row = rows_.Next()) {
      EXPECT_EQ((*row)->selection, 7u);
      EXPECT_THAT((*row)->columns, ElementsAre("id", "payload"));
      given.push_back(fmt::format("{} {} {}", rows_.position(), (*row)->values[0].value_or("NULL"),
                                  (*row)->values[1].value_or("NULL")));
    }
    return given;
  }

  std::vector<ReadTable> tables_{Table("outbox", true), Table("events", false)};
  SqliteReadLedger ledger_{""};
  ChunkRows rows_{tables_, ledger_};
};

TEST_F(ChunkRowsTest, GivesTheRowsOfTheChunkInItsOrderWithTheirKeysAsPositions) {
  EXPECT_THAT(Given(0, Chunk({"a", "b"})),
              ElementsAre("table:shop.outbox:a a old", "table:shop.outbox:b b old"));
}

TEST_F(ChunkRowsTest, NullIsGivenAsItIs) {
  binlog::Chunk chunk = Chunk({"a"});
  chunk.rows[0].values[1] = std::nullopt;
  EXPECT_THAT(Given(0, chunk), ElementsAre("table:shop.outbox:a a NULL"));
}

TEST_F(ChunkRowsTest, ARowAtAPlaceWhereOneArrivedIsLeftOut) {
  Arrive("b");
  EXPECT_THAT(Given(0, Chunk({"a", "b", "c"})),
              ElementsAre("table:shop.outbox:a a old", "table:shop.outbox:c c old"));
}

TEST_F(ChunkRowsTest, AnImageComesInsteadOfTheRowAtItsPlace) {
  Keep("b");
  EXPECT_THAT(Given(0, Chunk({"a", "b", "c"})),
              ElementsAre("table:shop.outbox:a a old", "table:shop.outbox:b b was",
                          "table:shop.outbox:c c old"));
}

TEST_F(ChunkRowsTest, AnImageOfARowThatIsGoneComesInOrder) {
  Keep("b");
  Keep("c");
  EXPECT_THAT(Given(0, Chunk({"a", "d"})),
              ElementsAre("table:shop.outbox:a a old", "table:shop.outbox:b b was",
                          "table:shop.outbox:c c was", "table:shop.outbox:d d old"));
}

TEST_F(ChunkRowsTest, ImagesThatOtherChunksCoverAreNotGiven) {
  HandOver("b");
  Keep("b");
  Keep("e");
  EXPECT_THAT(Given(0, Chunk({"c", "d"})),
              ElementsAre("table:shop.outbox:c c old", "table:shop.outbox:d d old"));
}

TEST_F(ChunkRowsTest, TheLastChunkGivesAllImagesThatAreLeftThoughItHasNoRow) {
  HandOver("b");
  Keep("b");
  Keep("c");
  Keep("z");
  EXPECT_THAT(Given(0, Chunk({}, true)),
              ElementsAre("table:shop.outbox:c c was", "table:shop.outbox:z z was"));
}

TEST_F(ChunkRowsTest, WhatTheLedgerLearnsBeforeTheFirstRowCounts) {
  rows_.Take(0, Chunk({"a", "b"}));
  Arrive("a");
  Keep("b");
  ASSERT_TRUE(rows_.Begin());
  const auto row = rows_.Next();
  ASSERT_TRUE(row && *row != nullptr);
  EXPECT_EQ((*row)->values[1], "was");
  EXPECT_EQ(rows_.Next().value(), nullptr);
}

TEST_F(ChunkRowsTest, RowsOfATableWithoutAKeyComeInTheOrderOfTheirPlaces) {
  const auto given = Given(1, Chunk({"bb", "a"}, true, false));
  EXPECT_THAT(given, ElementsAre(MatchesRegex("table:shop.events:row-[0-9a-f]{32} a old"),
                                 MatchesRegex("table:shop.events:row-[0-9a-f]{32} bb old")));
  EXPECT_NE(given[0].substr(0, 40), given[1].substr(0, 40));
}

TEST_F(ChunkRowsTest, AChunkOfATableWithoutAKeyIsItsLast) {
  rows_.Take(1, Chunk({"a"}, false, false));
  EXPECT_TRUE(rows_.is_last());
  EXPECT_EQ(rows_.table(), 1u);
}

TEST_F(ChunkRowsTest, AChunkEndsAtItsLastRowThoughItIsLeftOut) {
  Arrive("b");
  EXPECT_THAT(Given(0, Chunk({"a", "b"})), ElementsAre("table:shop.outbox:a a old"));
  EXPECT_FALSE(rows_.is_last());
  const auto end = rows_.end();
  ASSERT_TRUE(end);
  EXPECT_THAT(end->key, ElementsAre("b"));
  EXPECT_EQ(end->place, "B");
}

TEST_F(ChunkRowsTest, TheLastChunkEndsAtNoPlace) {
  rows_.Take(0, Chunk({"a"}, true));
  EXPECT_TRUE(rows_.is_last());
  EXPECT_FALSE(rows_.end());
}

TEST_F(ChunkRowsTest, CountsWhatItGaveImagesIncluded) {
  Arrive("a");
  Keep("c");
  EXPECT_EQ(Given(0, Chunk({"a", "b", "d"})).size(), 3u);
  EXPECT_EQ(rows_.rows(), 3u);
  HandOver("d");
  EXPECT_EQ(Given(0, Chunk({"e"})).size(), 1u);
  EXPECT_EQ(rows_.rows(), 1u) << "of the chunk in hand";
}

TEST_F(ChunkRowsTest, AChunkThatIsLetGoWithinItsRowsCanBeTakenAgain) {
  Keep("a");
  Keep("b");
  rows_.Take(0, Chunk({"c"}));
  ASSERT_TRUE(rows_.Begin());
  ASSERT_TRUE(rows_.Next());
  rows_.End();
  EXPECT_THAT(Given(0, Chunk({"c"})),
              ElementsAre("table:shop.outbox:a a was", "table:shop.outbox:b b was",
                          "table:shop.outbox:c c old"));
}

TEST_F(ChunkRowsTest, ALedgerThatFailsIsAnErrorWhereverItDoes) {
  FailingLedger ledger;
  ChunkRows rows(tables_, ledger);
  rows.Take(0, Chunk({"a"}));
  for (int answers = 0; answers < 2; ++answers) {
    ledger.answers = answers;
    const auto begun = rows.Begin();
    ASSERT_FALSE(begun) << answers;
    EXPECT_EQ(begun.error().kind, ErrorKind::kSpill);
  }
  ledger.answers = 2;
  ASSERT_TRUE(rows.Begin());
  EXPECT_EQ(rows.Next().error().kind, ErrorKind::kSpill);
}

}  // namespace
}  // namespace outboxd
