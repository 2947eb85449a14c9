#include "binlog/row_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/binlog/table_map_bytes.h"

namespace outboxd::binlog {
namespace {

using Octets = std::vector<std::uint8_t>;

// TINYINT `id` and TINYINT `n`, of table s.t with table id `id`.
TableMapBytes MapOf(std::uint8_t id, const std::vector<std::string>& names = {"id", "n"}) {
  TableMapBytes map;
  map.Id(id);
  for (std::size_t i = 0; i < names.size(); ++i) map.Column(kTinyType);
  map.Optional(1, Octets((names.size() + 7) / 8));
  return map.Optional(4, TableMapBytes::Texts(names));
}

TableMapBytes MapWithoutNames() {
  return TableMapBytes().Column(kTinyType).Column(kTinyType).Optional(1, {0});
}

class RowReaderTest : public testing::Test {
 protected:
  void Use(TableSelection selection) {
    selection.schema_pattern = "s";
    if (selection.table_pattern.empty()) selection.table_pattern = "t";
    filter_ = std::make_unique<TableFilter>(std::vector<TableSelection>{std::move(selection)});
    reader_ = std::make_unique<RowReader>(*filter_, character_sets_);
  }
  void UseColumns(std::vector<std::string> columns, std::vector<std::string> declared = {}) {
    Use({.schema_pattern = {},
         .table_pattern = {},
         .columns = std::move(columns),
         .declared_columns = std::move(declared)});
  }
  void UseWholeRow(WholeRow whole_row, std::vector<std::string> columns = {},
                   std::vector<std::string> declared = {}) {
    Use({.schema_pattern = {},
         .table_pattern = {},
         .columns = std::move(columns),
         .declared_columns = std::move(declared),
         .whole_row = whole_row});
  }
  void Map(const TableMapBytes& map) {
    ASSERT_TRUE(rows_.Append(EventType::kTableMap, map.bytes()));
  }
  // `columns` has the bitmap of present columns (of an update two) and the rows.
  void Rows(const Octets& columns, EventType type = EventType::kWriteRows, std::uint8_t id = 7) {
    const bool is_v1 = type == EventType::kWriteRowsV1 || type == EventType::kUpdateRowsV1 ||
                       type == EventType::kDeleteRowsV1;
    Octets body = {id, 0, 0, 0, 0, 0, 1, 0};
    if (!is_v1) body.insert(body.end(), {2, 0});
    body.push_back(2);
    body.insert(body.end(), columns.begin(), columns.end());
    ASSERT_TRUE(rows_.Append(type, body));
  }
  void UseAllChanges(std::vector<std::string> columns, std::vector<std::string> key,
                     std::vector<std::string> declared = {}) {
    Use({.schema_pattern = {},
         .table_pattern = {},
         .columns = std::move(columns),
         .declared_columns = std::move(declared),
         .takes_all_changes = true,
         .key_columns = std::move(key)});
  }
  // The first row.
  Row First() {
    reader_->Begin(rows_);
    const auto row = reader_->Next();
    EXPECT_TRUE(row && *row);
    return row && *row ? **row : Row{};
  }
  static std::string TextOf(const Row& row) { return TextOf(row.values); }
  static std::string TextOf(std::span<const ColumnValue> values) {
    std::string text;
    for (const ColumnValue& value : values) {
      if (!text.empty()) text += '|';
      text += value ? *value : "NULL";
    }
    return text;
  }
  // All rows, separated by blanks, and the error if there is one.
  std::string ReadAll() {
    reader_->Begin(rows_);
    std::string all;
    auto row = reader_->Next();
    for (; row && *row != nullptr; row = reader_->Next()) all += TextOf(**row) + " ";
    error_ = row ? Error{} : row.error();
    return row ? all : all + "error";
  }
  // The kind of the error that reading ends with.
  ErrorKind ErrorOfAll() {
    EXPECT_TRUE(ReadAll().ends_with("error"));
    return error_.kind;
  }

  CharacterSets character_sets_;
  std::unique_ptr<TableFilter> filter_;
  std::unique_ptr<RowReader> reader_;
  TransactionBuffer rows_{{.spill_directory = testing::TempDir()}};
  Error error_{};
};

TEST_F(RowReaderTest, ReadsTheRowsOfAllEventsInTheirOrder) {
  UseColumns({"n", "id"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10, 0, 2, 20});
  Rows({3, 0, 3, 30}, EventType::kWriteRowsV1);
  Map(MapOf(7));
  Rows({3, 0, 4, 40});
  EXPECT_EQ(ReadAll(), "10|1 20|2 30|3 40|4 ");
  EXPECT_EQ(ReadAll(), "10|1 20|2 30|3 40|4 ") << "once more";
}

TEST_F(RowReaderTest, NamesTheTableTheColumnsAndTheChange) {
  UseColumns({"n"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  reader_->Begin(rows_);
  const auto row = reader_->Next();
  ASSERT_TRUE(row && *row);
  EXPECT_EQ((*row)->schema_name, "s");
  EXPECT_EQ((*row)->table_name, "t");
  EXPECT_EQ((*row)->selection, 0u);
  EXPECT_EQ(std::vector<std::string>((*row)->columns.begin(), (*row)->columns.end()),
            std::vector<std::string>({"n"}));
  EXPECT_EQ((*row)->change, RowChange::kInsert);
}

TEST_F(RowReaderTest, AnUpdateIsMarkedAndIsTheRowAfterwards) {
  UseColumns({"id", "n"});
  for (const auto type : {EventType::kUpdateRows, EventType::kUpdateRowsV1}) {
    rows_.Clear();
    Map(MapOf(7));
    Rows({3, 3, 0, 1, 10, 0, 1, 11}, type);
    EXPECT_EQ(ReadAll(), "1|11 ");
    reader_->Begin(rows_);
    EXPECT_EQ((*reader_->Next())->change, RowChange::kUpdate);
  }
}

TEST_F(RowReaderTest, AnUpdateThatLogsChangesOnlyIsRefused) {
  UseColumns({"id", "n"});
  Map(MapOf(7));
  Rows({1, 2, 0, 1, 0, 11}, EventType::kUpdateRows);
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUndecodable);
  EXPECT_NE(error_.message.find("table s.t: column 'id' is missing"), std::string::npos);
}

TEST_F(RowReaderTest, AnUpdateOfPartsOfADocumentIsRefused) {
  UseColumns({"id"});
  Map(MapOf(7));
  Rows({3, 3, 0, 1, 10, 0, 1, 11}, EventType::kPartialUpdateRows);
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUndecodable);
  EXPECT_NE(error_.hint.find("binlog_row_value_options"), std::string::npos);
}

TEST_F(RowReaderTest, EveryChangeIsToldWithItsKey) {
  UseAllChanges({"n"}, {"ID"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  const Row inserted = First();
  EXPECT_EQ(inserted.change, RowChange::kInsert);
  EXPECT_EQ(TextOf(inserted), "10");
  EXPECT_EQ(TextOf(inserted.key), "1");
  EXPECT_TRUE(inserted.before.empty());
  EXPECT_TRUE(inserted.key_before.empty());
}

TEST_F(RowReaderTest, AnUpdateIsToldAsItWasAndAsItIs) {
  UseAllChanges({"n"}, {"id"});
  for (const auto type : {EventType::kUpdateRows, EventType::kUpdateRowsV1}) {
    rows_.Clear();
    Map(MapOf(7));
    Rows({3, 3, 0, 1, 10, 0, 2, 11}, type);
    const Row row = First();
    EXPECT_EQ(row.change, RowChange::kUpdate);
    EXPECT_EQ(TextOf(row) + " " + TextOf(row.key), "11 2");
    EXPECT_EQ(TextOf(row.before) + " " + TextOf(row.key_before), "10 1");
    EXPECT_FALSE(row.is_partial);
  }
}

TEST_F(RowReaderTest, ADeleteIsToldAsTheRowWas) {
  UseAllChanges({"n"}, {"id"});
  for (const auto type : {EventType::kDeleteRows, EventType::kDeleteRowsV1}) {
    rows_.Clear();
    Map(MapOf(7));
    Rows({3, 0, 1, 10}, type);
    const Row row = First();
    EXPECT_EQ(row.change, RowChange::kDelete);
    EXPECT_EQ(TextOf(row) + " " + TextOf(row.key), "10 1");
    EXPECT_TRUE(row.before.empty());
    EXPECT_FALSE(row.is_partial);
  }
}

TEST_F(RowReaderTest, AChangeThatLogsLessIsPartial) {
  UseAllChanges({"id", "n"}, {"id"});
  Map(MapOf(7));
  Rows({1, 2, 0, 1, 0, 11}, EventType::kUpdateRows);
  const Row row = First();
  EXPECT_TRUE(row.is_partial);
  EXPECT_EQ(TextOf(row), "1|11");
  EXPECT_EQ(TextOf(row.before), "1|NULL");
  EXPECT_EQ(TextOf(row.key) + " " + TextOf(row.key_before), "1 1");
}

TEST_F(RowReaderTest, AKeyIsToldOnlyWhereAllChangesAreTaken) {
  Use({.schema_pattern = {},
       .table_pattern = {},
       .columns = {"n"},
       .declared_columns = {},
       .key_columns = {"no_such_column"}});
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  EXPECT_TRUE(First().key.empty());
}

TEST_F(RowReaderTest, AChangeOfPartsOfADocumentIsRefused) {
  UseAllChanges({"id"}, {"id"});
  Map(MapOf(7));
  Rows({3, 3, 0, 1, 10, 0, 1, 11}, EventType::kPartialUpdateRows);
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUndecodable);
  EXPECT_NE(error_.hint.find("binlog_row_value_options"), std::string::npos);
}

TEST_F(RowReaderTest, AnUnknownKeyColumnIsUnsuitable) {
  UseAllChanges({"id"}, {"id", "tenant"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUnsuitable);
  EXPECT_NE(error_.message.find("no column 'tenant'"), std::string::npos);
}

TEST_F(RowReaderTest, AKeyNeedsTheNamesOfItsColumns) {
  Map(MapWithoutNames());
  Rows({3, 0, 1, 10});
  UseAllChanges({}, {"n"});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUnsuitable);
  UseAllChanges({}, {"n"}, {"id", "n"});
  EXPECT_EQ(TextOf(First().key), "10");
}

TEST_F(RowReaderTest, AColumnThatTheRowLacksIsAnErrorAndNeverNull) {
  UseColumns({"id", "n"});
  Map(MapOf(7));
  Rows({1, 0, 1});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUndecodable);
  EXPECT_NE(error_.message.find("table s.t: column 'n' is missing"), std::string::npos);
  UseColumns({"id"});
  EXPECT_EQ(ReadAll(), "1 ") << "one that nobody wants may be missing";
}

TEST_F(RowReaderTest, ADeclaredDefaultStandsInForAColumnThatTheRowLacks) {
  Use({.schema_pattern = {},
       .table_pattern = {},
       .columns = {"n", "id"},
       .declared_columns = {},
       .declared_defaults = {{"other", "1"}, {"n", "5"}, {"id", std::nullopt}}});
  Map(MapOf(7));
  Rows({1, 0, 1});
  Rows({2, 0, 20});
  Rows({3, 0, 3, 30});
  EXPECT_EQ(ReadAll(), "5|1 20|NULL 30|3 ");
}

TEST_F(RowReaderTest, TheWholeRowStandsBehindTheColumnsThatWereAskedFor) {
  UseWholeRow(WholeRow::kNamed, {"n"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  EXPECT_EQ(ReadAll(), "10|1|10 ");
  reader_->Begin(rows_);
  EXPECT_THAT((*reader_->Next())->columns, testing::ElementsAre("n", "id", "n"));
}

TEST_F(RowReaderTest, TheWholeRowNeedsTheNamesOfItsColumns) {
  Map(MapWithoutNames());
  Rows({3, 0, 1, 10});
  UseWholeRow(WholeRow::kNamed);
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUnsuitable);
  UseWholeRow(WholeRow::kNamed, {}, {"id", "n"});
  EXPECT_EQ(ReadAll(), "1|10 ");
  reader_->Begin(rows_);
  EXPECT_EQ((*reader_->Next())->columns[1], "n");
}

TEST_F(RowReaderTest, OfTheWholeRowNothingIsLeftOut) {
  UseWholeRow(WholeRow::kNumbered);
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  EXPECT_EQ(ReadAll(), "1|10 ");
  reader_->Begin(rows_);
  EXPECT_EQ((*reader_->Next())->columns[1], "n");
  Rows({1, 0, 2});
  EXPECT_EQ(ReadAll(), "1|10 error") << "a missing one is not left out";
}

// MySQL up to 8.0.17 has the columns behind an index on an expression in the map, not in the rows.
TEST_F(RowReaderTest, TheWholeRowIsTheColumnsThatRowsHave) {
  UseWholeRow(WholeRow::kNumbered);
  TableMapBytes map;
  map.Column(kTinyType).Column(kArrayType, {8}).Column(kVarcharType, {9, 0}).Column(kTinyType);
  map.Optional(1, {0}).Optional(2, {33});
  Map(map.Optional(4, TableMapBytes::Texts({"id", "!hidden!a!0!0", "!hidden!b!0!0", "n"})));
  ASSERT_TRUE(
      rows_.Append(EventType::kWriteRows, Octets{7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 4, 0x09, 0, 1, 2}));
  EXPECT_EQ(ReadAll(), "1|2 ");
}

TEST_F(RowReaderTest, ColumnsWithoutNamesAreNumberedWhereThatWillDo) {
  UseWholeRow(WholeRow::kNumbered);
  Map(MapWithoutNames());
  Rows({3, 0, 1, 10});
  EXPECT_EQ(ReadAll(), "1|10 ");
  reader_->Begin(rows_);
  EXPECT_EQ((*reader_->Next())->columns[1], "@2");
}

TEST_F(RowReaderTest, DeclaredColumnsNameThoseOfALogWithoutNames) {
  UseColumns({"n", "id"}, {"id", "n"});
  Map(MapWithoutNames());
  Rows({3, 0, 1, 10});
  EXPECT_EQ(ReadAll(), "10|1 ");
}

TEST_F(RowReaderTest, TheNamesOfTheLogGoBeforeTheDeclaredOnes) {
  UseColumns({"n", "id"}, {"n", "id"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  EXPECT_EQ(ReadAll(), "10|1 ");
}

TEST_F(RowReaderTest, AnUnknownPlaceOfAWantedColumnIsUnsuitable) {
  Map(MapWithoutNames());
  UseColumns({"id"});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUnsuitable);
  EXPECT_NE(error_.hint.find("binlog_row_metadata = FULL"), std::string::npos);
  UseColumns({"id"}, {"id", "n", "more"});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUnsuitable);
  UseColumns({"id"}, {"x", "y"});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUnsuitable);
  rows_.Clear();
  Map(MapOf(7));
  UseColumns({"payload"});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kUnsuitable);
  EXPECT_NE(error_.message.find("no column 'payload'"), std::string::npos);
}

// A log of before 8.0 tells neither names nor signs nor character sets: here of a TINYINT and a
// VARCHAR of 20 bytes. The table was altered since.
class OldLogTest : public RowReaderTest {
 protected:
  std::string Read(ColumnFacts n, ColumnFacts text, std::vector<std::string> kinds = {}) {
    Use({.schema_pattern = {},
         .table_pattern = {},
         .columns = {"n", "text"},
         .declared_columns = {"n", "text"},
         .declared_kinds = std::move(kinds)});
    const std::vector<ColumnFacts> today = {std::move(n), std::move(text)};
    reader_ = std::make_unique<RowReader>(*filter_, character_sets_, [today](auto, auto) {
      return Result<std::vector<ColumnFacts>>(today);
    });
    rows_.Clear();
    Map(TableMapBytes().Column(kTinyType).Column(kVarcharType, {20, 0}));
    Rows({3, 0, 200, 1, 0xE9});
    return ReadAll();
  }
  const ColumnFacts n_ = {.name = "n", .type = "tinyint unsigned"};
  const ColumnFacts text_ = {.name = "text",
                             .type = "varchar(20)",
                             .character_set = "latin1",
                             .collation = 8,
                             .octet_length = 20};
};

TEST_F(OldLogTest, IsReadByTheTableAlsoWhereNullWasAllowedSince) {
  EXPECT_EQ(Read(n_, text_), "200|é ");
  auto nullable = text_;
  nullable.nullable = true;
  EXPECT_EQ(Read(n_, nullable), "200|é ");
}

TEST_F(OldLogTest, OfAnotherLengthNamesTheDifferenceAndTheWayOutThatItsHintTells) {
  auto longer = text_;
  longer.type = "varchar(40)";
  longer.octet_length = 40;
  EXPECT_EQ(Read(n_, longer), "error");
  EXPECT_THAT(error_.message,
              testing::HasSubstr("its column 'text' was VARCHAR of 20 bytes, NOT NULL when the row"
                                 " was written and is varchar(40) (VARCHAR of 40 bytes"));
  EXPECT_THAT(error_.hint, testing::StartsWith("declare what it was then behind the column"
                                               "'s name, 'columns = a,b:CHARACTER_SET,c'"));
  EXPECT_EQ(Read(n_, longer, {"", "latin1"}), "200|é ");
  EXPECT_EQ(Read({.name = "n", .type = "bigint"}, longer, {"", "latin1"}), "error");
  EXPECT_THAT(error_.message, testing::HasSubstr("column 'n' was TINYINT"));
  EXPECT_EQ(Read({.name = "n", .type = "bigint"}, longer, {"signed", "latin1"}), "-56|é ");
  EXPECT_EQ(Read({.name = "x", .type = "json"}, longer, {"unsigned", "latin1"}), "200|é ");
}

TEST_F(OldLogTest, AKindThatDoesNotFitItsColumnIsUnsuitable) {
  EXPECT_EQ(Read(n_, text_, {"latin1", ""}), "error");
  EXPECT_EQ(error_.kind, ErrorKind::kUnsuitable);
  EXPECT_THAT(error_.message, testing::HasSubstr("which 'latin1' does not fit"));
}

TEST_F(RowReaderTest, RowsOfAnIdWithoutTableMapAreCorrupt) {
  UseColumns({"id"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10}, EventType::kWriteRows, 8);
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kCorrupt);
  rows_.Clear();
  Rows({3, 0, 1, 10});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kCorrupt) << "maps end with their transaction";
}

TEST_F(RowReaderTest, ATableIdMeansNothingInTheNextTransaction) {
  UseColumns({"id"});
  Map(MapOf(7));
  Rows({3, 0, 1, 2});
  EXPECT_EQ(ReadAll(), "1 ");
  rows_.Clear();
  Rows({3, 0, 1, 2});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kCorrupt);
}

TEST_F(RowReaderTest, AMapThatIsNoneIsCorrupt) {
  UseColumns({"id"});
  ASSERT_TRUE(rows_.Append(EventType::kTableMap, Octets{7, 0, 0}));
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kCorrupt);
}

// After ALTER TABLE the same table has another map, perhaps under the same id.
TEST_F(RowReaderTest, EveryRowIsReadByTheMapInFrontOfIt) {
  UseColumns({"id"});
  Map(MapOf(7));
  Rows({3, 0, 1, 10});
  Map(MapOf(7, {"n", "id"}));
  Rows({3, 0, 2, 20});
  Map(MapOf(8));
  Rows({3, 0, 3, 30}, EventType::kWriteRows, 8);
  Rows({3, 0, 4, 40});
  EXPECT_EQ(ReadAll(), "1 20 3 40 ");
}

TEST_F(RowReaderTest, ManyVersionsOfTablesAreReadRight) {
  UseColumns({"id"});
  for (int transaction = 0; transaction < 3; ++transaction) {
    rows_.Clear();
    std::string expected;
    for (int i = 0; i < 100; ++i) {
      const auto id = static_cast<std::uint8_t>(i);
      const std::string version = "n" + std::to_string(transaction * 100 + i);
      Map(i % 2 == 0 ? MapOf(id, {"id", version}) : MapOf(id, {version, "id"}));
    }
    for (int i = 0; i < 100; ++i) {
      Rows({3, 0, 1, 2}, EventType::kWriteRows, static_cast<std::uint8_t>(i));
      expected += i % 2 == 0 ? "1 " : "2 ";
    }
    EXPECT_EQ(ReadAll(), expected);
  }
}

// Counts how often a table map without names is met that is not known.
class KnownTablesTest : public RowReaderTest {
 protected:
  KnownTablesTest() {
    UseColumns({"id"});
    reader_ = std::make_unique<RowReader>(*filter_, character_sets_, [this](auto, auto) {
      ++met_;
      return std::vector<ColumnFacts>{{.name = "id", .type = "tinyint"},
                                      {.name = "n", .type = "int"}};
    });
  }
  // One transaction with a row of each of the tables.
  void Read(int first, int end) {
    rows_.Clear();
    std::string expected;
    for (int i = first; i < end; ++i) {
      const auto low = static_cast<std::uint8_t>(i);
      TableMapBytes map;
      map.Column(kTinyType).Column(kLongType).Optional(1, {0});
      constexpr std::uint8_t kUnknownMetadata = 99;
      Map(map.Optional(kUnknownMetadata, {low, static_cast<std::uint8_t>(i >> 8)}));
      Rows({3, 0, static_cast<std::uint8_t>(i % 100), 1, 0, 0, 0});
      expected += std::to_string(i % 100) + " ";
    }
    EXPECT_EQ(ReadAll(), expected) << error_.message;
  }

  int met_ = 0;
};

TEST_F(KnownTablesTest, TensOfThousandsOfTablesAreKept) {
  for (int i = 0; i < 30'000; i += 10) Read(i, i + 10);
  for (int i = 0; i < 30'000; i += 10) Read(i, i + 10);
  Read(0, 30'000);
  EXPECT_EQ(met_, 30'000);
}

TEST_F(KnownTablesTest, TheTablesForgottenAreThoseNotUsedForLongest) {
  for (int i = 0; i < 40'000; i += 10) {
    Read(0, 5);
    Read(i, i + 10);
  }
  EXPECT_EQ(met_, 40'000);
  Read(0, 5);
  Read(39'900, 40'000);
  EXPECT_EQ(met_, 40'000);
  Read(10, 20);
  EXPECT_EQ(met_, 40'010);
}

TEST_F(KnownTablesTest, NoTableIsForgottenWithinItsTransaction) {
  rows_.Clear();
  Map(MapOf(8));
  for (int i = 0; i < 5000; ++i) Map(MapOf(7, {"id", "n" + std::to_string(i)}));
  Rows({3, 0, 1, 2}, EventType::kWriteRows, 8);
  Rows({3, 0, 3, 4}, EventType::kWriteRows, 7);
  EXPECT_EQ(ReadAll(), "1 3 ");
  EXPECT_EQ(ReadAll(), "1 3 ") << "once more";
}

TEST_F(RowReaderTest, AValueThatCannotBeDecodedNamesTheTable) {
  UseColumns({"id", "n"});
  Map(MapOf(7));
  Rows({3, 0, 1});
  EXPECT_EQ(ErrorOfAll(), ErrorKind::kCorrupt);
  EXPECT_TRUE(error_.message.starts_with("table s.t: "));
}

}  // namespace
}  // namespace outboxd::binlog
