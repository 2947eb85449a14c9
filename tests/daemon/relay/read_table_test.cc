#include "daemon/relay/read_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using binlog::ColumnValue;
using binlog::ValueKind;
using testing::ElementsAre;
using testing::MatchesRegex;
using testing::Optional;
using namespace std::string_literals;

binlog::TableKey Key(const std::vector<std::string>& types) {
  binlog::TableKey key{"PRIMARY", {}};
  for (const std::string& type : types) {
    key.columns.push_back({"k" + std::to_string(key.columns.size() + 1), type, ""});
  }
  return key;
}

std::string Position(const std::vector<std::string>& types,
                     const std::vector<std::string>& values) {
  return PositionKey(Key(types), values);
}

binlog::TableToRead Description() {
  binlog::TableToRead table;
  table.facts.schema_name = "shop";
  table.facts.table_name = "outbox";
  table.facts.columns = {{.name = "k1", .type = "bigint"},
                         {.name = "k2", .type = "varchar(36)"},
                         {.name = "payload", .type = "json"},
                         {.name = "blob", .type = "blob"}};
  table.key = Key({"bigint", "varchar(36)"});
  return table;
}

binlog::TableSelection Selection() {
  binlog::TableSelection selection;
  selection.schema_pattern = "shop";
  selection.table_pattern = "out*";
  selection.columns = {"payload", "k1"};
  return selection;
}

ReadTable Table(const binlog::TableToRead& description = Description()) {
  return MakeReadTable(description, 5, Selection());
}

TEST(PositionKeyTest, OneColumnStandsAsItIs) {
  EXPECT_EQ(Position({"bigint"}, {"-17"}), "-17");
  EXPECT_EQ(Position({"varchar(36)"}, {"a,b\\c"}), "a,b\\c");
}

TEST(PositionKeyTest, OfSeveralColumnsCommasAndBackslashesAreEscaped) {
  EXPECT_EQ(Position({"varchar(9)", "int"}, {"a,b\\c", "7"}), "a\\,b\\\\c,7");
  EXPECT_NE(Position({"varchar(9)", "varchar(9)"}, {"a,", "b"}),
            Position({"varchar(9)", "varchar(9)"}, {"a", ",b"}));
  EXPECT_EQ(Position({"varchar(9)", "varchar(9)"}, {"", ""}), ",");
}

TEST(PositionKeyTest, BytesAreHexadecimalDigits) {
  for (const char* type : {"binary(16)", "varbinary(16)", "bit(9)", "blob", "tinyblob"}) {
    EXPECT_EQ(Position({type}, {"\0\xff,a"s}), "0x00ff2c61") << type;
  }
  EXPECT_EQ(Position({"int", "binary(1)"}, {"1", "\\"}), "1,0x5c");
}

TEST(PositionKeyTest, ARowWithoutAKeyHasADigestOfItsPlace) {
  EXPECT_THAT(PositionKey(binlog::KeyPlace("1:a")), MatchesRegex("row-[0-9a-f]{32}"));
  // Positions are compared across versions. Of FNV-1a by another program.
  EXPECT_EQ(PositionKey(binlog::KeyPlace("a")), "row-af63dc4c8601ec8c789e3e398d3ff5ff");
  EXPECT_EQ(PositionKey(binlog::KeyPlace("1:a")), PositionKey(binlog::KeyPlace("1:a")));
  EXPECT_NE(PositionKey(binlog::KeyPlace("1:a")), PositionKey(binlog::KeyPlace("1:b")));
}

TEST(PlaceOfValuesTest, ValuesThatDifferHaveOtherPlaces) {
  const std::vector<ValueKind> kinds(2, ValueKind::kText);
  const auto place = [&kinds](std::vector<ColumnValue> values) {
    return PlaceOfValues(values, kinds);
  };
  EXPECT_EQ(place({"a", "b"}), place({"a", "b"}));
  EXPECT_NE(place({"ab", ""}), place({"a", "b"}));
  EXPECT_NE(place({"", std::nullopt}), place({"", ""}));
  EXPECT_NE(place({std::nullopt, ""}), place({"", std::nullopt}));
  EXPECT_NE(place({"1:a", ""}), place({"1", "a"}));
  EXPECT_NE(place({"-", "-"}), place({std::nullopt, std::nullopt}));
  EXPECT_NE(place({"a", "b"}), place({"A", "b"}));
}

TEST(PlaceOfValuesTest, JsonDoesNotCount) {
  const std::vector<ValueKind> kinds = {ValueKind::kText, ValueKind::kJson};
  const std::vector<ColumnValue> one = {"a", "{\"x\":1}"}, other = {"a", "{\"x\": 1}"};
  EXPECT_EQ(PlaceOfValues(one, kinds), PlaceOfValues(other, kinds));
  EXPECT_FALSE(PlaceOfValues(one, kinds).empty());
}

TEST(ReadTableTest, IsReadForTheColumnsWanted) {
  const ReadTable table = Table();
  EXPECT_EQ(table.selection, 5u);
  EXPECT_THAT(table.columns, ElementsAre("payload", "k1"));
  EXPECT_THAT(table.kinds, ElementsAre(ValueKind::kJson, ValueKind::kNumber));
}

TEST(ReadTableTest, AWholeRowStandsBehindTheColumnsWanted) {
  binlog::TableSelection selection = Selection();
  selection.whole_row = binlog::WholeRow::kNamed;
  const ReadTable table = MakeReadTable(Description(), 0, selection);
  EXPECT_THAT(table.columns, ElementsAre("payload", "k1", "k1", "k2", "payload", "blob"));
  EXPECT_EQ(table.kinds.back(), ValueKind::kBytes);
}

TEST(ReadTableTest, OfTheLogEveryChangeOfTheOneTableIsWantedWithItsKey) {
  binlog::TableSelection selection = Selection();
  selection.takes_updates = true;
  const auto changes = SelectionOfChanges(Table(), selection);
  EXPECT_EQ(changes.schema_pattern, "shop");
  EXPECT_EQ(changes.table_pattern, "outbox");
  EXPECT_TRUE(changes.takes_all_changes);
  EXPECT_FALSE(changes.takes_updates);
  EXPECT_THAT(changes.key_columns, ElementsAre("k1", "k2"));
  EXPECT_THAT(changes.columns, ElementsAre("payload", "k1"));
}

TEST(IsReadAlikeTest, AColumnThatIsNotReadDoesNotMatter) {
  binlog::TableToRead altered = Description();
  altered.facts.columns.push_back({.name = "added", .type = "int"});
  altered.facts.columns[3].type = "text";
  EXPECT_TRUE(IsReadAlike(Table(), Table(altered)));
}

TEST(IsReadAlikeTest, AnotherKeyIsAnotherRead) {
  binlog::TableToRead altered = Description();
  altered.key.columns.pop_back();
  EXPECT_FALSE(IsReadAlike(Table(), Table(altered)));
  altered = Description();
  altered.key.columns[1].is_descending = true;
  EXPECT_FALSE(IsReadAlike(Table(), Table(altered)));
  altered = Description();
  altered.key.columns[1].collation = "utf8mb4_bin";
  EXPECT_FALSE(IsReadAlike(Table(), Table(altered)));
}

TEST(IsReadAlikeTest, AColumnThatIsReadMustBeThereInItsType) {
  binlog::TableToRead altered = Description();
  altered.facts.columns[2].type = "longtext";
  EXPECT_FALSE(IsReadAlike(Table(), Table(altered)));
  altered = Description();
  altered.facts.columns[2].collation = 46;
  EXPECT_FALSE(IsReadAlike(Table(), Table(altered)));
  altered = Description();
  altered.facts.columns.erase(altered.facts.columns.begin() + 2);
  EXPECT_FALSE(IsReadAlike(Table(), Table(altered)));
}

TEST(ReadTableTest, TheStateNamesTheKeyUpToWhichItIsRead) {
  ReadTable table = Table();
  table.rows_handed = 42;
  const ReadCursor cursor{{"7", "a\0b"s}, "place"};
  const TableReadState state = StateOf(table, &cursor, false);
  EXPECT_EQ(state.schema_name + "." + state.table_name, "shop.outbox");
  EXPECT_EQ(state.rows, 42u);
  EXPECT_FALSE(state.is_done);
  EXPECT_THAT(state.last_key, ElementsAre(ReadKeyPart{"k1", "bigint", "7"},
                                          ReadKeyPart{"k2", "varchar(36)", "a\0b"s}));
  EXPECT_THAT(StoredKey(table, state), Optional(ElementsAre("7", "a\0b"s)));
}

TEST(ReadTableTest, TheStateOfATableThatIsDoneNeedsNoKey) {
  const ReadCursor cursor{{"7", "a"}, "place"};
  EXPECT_TRUE(StateOf(Table(), &cursor, true).is_done);
  EXPECT_TRUE(StateOf(Table(), &cursor, true).last_key.empty());
  EXPECT_TRUE(StateOf(Table(), nullptr, false).last_key.empty());
}

TEST(StoredKeyTest, IsNoneWhereNothingIsStored) {
  EXPECT_EQ(StoredKey(Table(), {.schema_name = "shop", .table_name = "outbox"}), std::nullopt);
}

TEST(StoredKeyTest, IsNoneWhereTheKeyHasAnotherTypeNameOrNumberOfColumns) {
  const ReadCursor cursor{{"7", "a"}, "place"};
  const TableReadState state = StateOf(Table(), &cursor, false);
  binlog::TableToRead altered = Description();
  altered.facts.columns[0].type = "bigint unsigned";
  EXPECT_EQ(StoredKey(Table(altered), state), std::nullopt);
  altered = Description();
  std::swap(altered.key.columns[0], altered.key.columns[1]);
  EXPECT_EQ(StoredKey(Table(altered), state), std::nullopt);
  altered = Description();
  altered.key.columns.pop_back();
  EXPECT_EQ(StoredKey(Table(altered), state), std::nullopt);
}

}  // namespace
}  // namespace outboxd
