// Compares every value of a real server's binary log with what SELECT said of the same row.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/row_decoder.h"
#include "binlog/table_map.h"
#include "tests/binlog/fixture_log.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint8_t kTableMapEvent = 19;
constexpr std::uint8_t kWriteRowsEvent = 30;
constexpr std::uint8_t kUpdateRowsEvent = 31;

struct ExpectedColumn {
  std::string name;
  bool is_hex;
};

struct ExpectedTable {
  std::vector<ExpectedColumn> columns;
  std::deque<std::vector<std::optional<std::string>>> rows;
};

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<std::string> Unescape(std::string_view text) {
  if (text == "\\N") return std::nullopt;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const char escape = text[++i];
    plain += escape == '0' ? '\0' : escape == 't' ? '\t' : escape == 'n' ? '\n' : escape;
  }
  return plain;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02X}", static_cast<std::uint8_t>(c));
  return hex;
}

std::map<std::string, ExpectedTable> ReadExpected() {
  std::map<std::string, ExpectedTable> tables;
  ExpectedTable* table = nullptr;
  for (const std::string& line : Split(ReadFixture("values.expected.gz"), '\n')) {
    if (line.starts_with("T ")) {
      const std::vector<std::string> words = Split(line.substr(2), ' ');
      table = &tables[words[0]];
      table->columns.clear();
      for (const std::string& word : std::span(words).subspan(1)) {
        table->columns.push_back({word.substr(0, word.find(':')), word.ends_with(":hex")});
      }
    } else if (line.starts_with("R ")) {
      table->rows.emplace_back();
      for (const std::string& value : Split(line.substr(2), '\t')) {
        table->rows.back().push_back(Unescape(value));
      }
    }
  }
  return tables;
}

std::size_t OrdinalOf(const TableMap& map, const std::string& name) {
  const auto found = std::ranges::find(map.columns, name, &Column::name);
  EXPECT_NE(found, map.columns.end()) << name;
  return static_cast<std::size_t>(found - map.columns.begin());
}

class ServerTruthTest : public testing::Test {
 protected:
  // Parses the event, if it is a TABLE_MAP; the map stays valid until the next one.
  bool TakeTableMap(const LoggedEvent& event) {
    if (event.type != kTableMapEvent) return false;
    auto parsed = TableMap::Parse(event.body);
    EXPECT_TRUE(parsed) << parsed.error().message;
    if (parsed) map_ = std::move(*parsed);
    return true;
  }

  // What is expected of the rows of `event`; null: it has none, or nothing is.
  ExpectedTable* ExpectedOf(const LoggedEvent& event) {
    if (TakeTableMap(event)) return nullptr;
    if (event.type != kWriteRowsEvent && event.type != kUpdateRowsEvent) return nullptr;
    const std::string suffix = event.type == kUpdateRowsEvent ? ":update" : "";
    const auto table = tables_.find(map_.schema_name + "." + map_.table_name + suffix);
    return table == tables_.end() ? nullptr : &table->second;
  }

  // Decodes the expected columns `first`, `first` + `step` and so on.
  void CompareEvent(const LoggedEvent& event, ExpectedTable& table, std::size_t first,
                    std::size_t step) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = first; i < table.columns.size(); i += step) {
      wanted.push_back(OrdinalOf(map_, table.columns[i].name));
    }
    const auto bound = takes_all_changes_ ? decoder_.BindChanges(map_, wanted, wanted)
                                          : decoder_.BindTable(map_, wanted);
    ASSERT_TRUE(bound) << bound.error().message;
    const auto change = event.type == kUpdateRowsEvent ? RowChange::kUpdate : RowChange::kInsert;
    const auto begun = decoder_.BeginEvent(RowsEventVersion::kV2, event.body, change);
    ASSERT_TRUE(begun) << map_.table_name << ": " << begun.error().message;
    auto has_row = decoder_.NextRow();
    for (; has_row && *has_row; has_row = decoder_.NextRow()) CompareRow(table, first, step);
    ASSERT_TRUE(has_row) << map_.table_name << ": " << has_row.error().message;
  }

  void CompareRow(ExpectedTable& table, std::size_t first, std::size_t step) {
    ASSERT_FALSE(table.rows.empty()) << map_.table_name;
    const auto expected = std::move(table.rows.front());
    table.rows.pop_front();
    for (std::size_t i = first, slot = 0; i < expected.size(); i += step, ++slot) {
      const ColumnValue& value = decoder_.values()[slot];
      ++compared_;
      ASSERT_EQ(value.has_value(), expected[i].has_value())
          << map_.table_name << '.' << table.columns[i].name;
      if (!value) continue;
      EXPECT_EQ(table.columns[i].is_hex ? ToHex(*value) : std::string(*value), *expected[i])
          << map_.table_name << '.' << table.columns[i].name;
    }
  }

  // The first row event of a table and its map, which TakeTableMap() has then taken.
  const LoggedEvent* FirstRows(std::string_view table, std::uint8_t type = kWriteRowsEvent) {
    for (const LoggedEvent& event : events_) {
      TakeTableMap(event);
      if (event.type == type && map_.table_name == table) return &event;
    }
    ADD_FAILURE() << "no rows of " << table;
    return nullptr;
  }

  const std::vector<LoggedEvent> events_ = ReadEvents(ReadFixture("values.binlog.gz"));
  std::map<std::string, ExpectedTable> tables_ = ReadExpected();

  CharacterSets character_sets_;
  RowDecoder decoder_{character_sets_};
  TableMap map_;
  bool takes_all_changes_ = false;
  std::size_t compared_ = 0;
};

TEST_F(ServerTruthTest, EveryValueIsWhatSelectPrints) {
  for (const LoggedEvent& event : events_) {
    ExpectedTable* const table = ExpectedOf(event);
    if (table != nullptr) CompareEvent(event, *table, 0, 1);
  }
  EXPECT_GT(compared_, 10'000U);
  for (const auto& [name, table] : tables_) EXPECT_TRUE(table.rows.empty()) << name;
}

TEST_F(ServerTruthTest, EveryValueIsTheSameWhereAllChangesAreTaken) {
  takes_all_changes_ = true;
  for (const LoggedEvent& event : events_) {
    ExpectedTable* const table = ExpectedOf(event);
    if (table != nullptr) CompareEvent(event, *table, 0, 1);
  }
  EXPECT_GT(compared_, 10'000U);
}

TEST_F(ServerTruthTest, AColumnIsFoundBehindOthersOfAnyTypeThatNobodyWants) {
  std::size_t columns = 0;
  for (const LoggedEvent& event : events_) {
    const ExpectedTable* const expected = ExpectedOf(event);
    if (expected == nullptr || !map_.table_name.starts_with("all_types")) continue;
    columns = expected->columns.size();
    for (std::size_t i = 0; i < columns; ++i) {
      ExpectedTable copy = *expected;
      CompareEvent(event, copy, i, columns);
    }
  }
  EXPECT_GT(columns, 25U);
}

TEST_F(ServerTruthTest, ColumnsOfIndexesOnExpressionsAreNotLogged) {
  ASSERT_NE(FirstRows("hidden_columns"), nullptr);
  EXPECT_EQ(map_.columns.size(), 4U);
}

TEST_F(ServerTruthTest, RefusesAColumnThatAMinimalImageLeavesOut) {
  const LoggedEvent* rows = FirstRows("minimal");
  ASSERT_NE(rows, nullptr);
  const std::vector<std::size_t> wanted = {OrdinalOf(map_, "literal")};
  ASSERT_TRUE(decoder_.BindTable(map_, wanted));
  const auto begun = decoder_.BeginEvent(RowsEventVersion::kV2, rows->body);
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(begun.error().message.find("'literal'"), std::string::npos);
  EXPECT_NE(begun.error().hint.find("binlog_row_image = FULL"), std::string::npos);
}

TEST_F(ServerTruthTest, DecodesWhatAMinimalImageHolds) {
  const LoggedEvent* rows = FirstRows("minimal");
  ASSERT_NE(rows, nullptr);
  const std::vector<std::size_t> wanted = {OrdinalOf(map_, "given"), OrdinalOf(map_, "id")};
  ASSERT_TRUE(decoder_.BindTable(map_, wanted));
  ASSERT_TRUE(decoder_.BeginEvent(RowsEventVersion::kV2, rows->body));
  ASSERT_TRUE(decoder_.NextRow().value());
  EXPECT_EQ(decoder_.values()[0], "g");
  EXPECT_EQ(decoder_.values()[1], "1");
  EXPECT_FALSE(decoder_.NextRow().value());
}

TEST_F(ServerTruthTest, TellsAnUpdateApartThatWroteOnlyWhatItChanged) {
  const LoggedEvent* rows = FirstRows("minimal", kUpdateRowsEvent);
  ASSERT_NE(rows, nullptr);
  const auto begin = [&](const std::string& column) {
    const std::vector<std::size_t> wanted = {OrdinalOf(map_, column)};
    EXPECT_TRUE(decoder_.BindTable(map_, wanted, {{wanted[0], "a default"}}));
    return decoder_.BeginEvent(RowsEventVersion::kV2, rows->body, RowChange::kUpdate);
  };
  EXPECT_FALSE(begin("literal"));
  ASSERT_TRUE(begin("given"));
  ASSERT_TRUE(decoder_.NextRow().value());
  EXPECT_EQ(decoder_.values()[0], "h");
  EXPECT_FALSE(decoder_.NextRow().value());
}

TEST_F(ServerTruthTest, AMinimalUpdateIsPartialButHasItsKey) {
  const LoggedEvent* rows = FirstRows("minimal", kUpdateRowsEvent);
  ASSERT_NE(rows, nullptr);
  const std::vector<std::size_t> wanted = {OrdinalOf(map_, "given"), OrdinalOf(map_, "literal")};
  const std::vector<std::size_t> key = {OrdinalOf(map_, "id")};
  ASSERT_TRUE(decoder_.BindChanges(map_, wanted, key));
  ASSERT_TRUE(decoder_.BeginEvent(RowsEventVersion::kV2, rows->body, RowChange::kUpdate));
  ASSERT_TRUE(decoder_.NextRow().value());
  EXPECT_TRUE(decoder_.is_partial());
  EXPECT_EQ(decoder_.values()[0], "h");
  EXPECT_EQ(decoder_.values()[1], std::nullopt);
  EXPECT_EQ(decoder_.before()[0], std::nullopt);
  EXPECT_EQ(decoder_.key()[0], "1");
  EXPECT_EQ(decoder_.key_before()[0], "1");
}

TEST_F(ServerTruthTest, WithMinimalMetadataDecodesAllButEnums) {
  const LoggedEvent* rows = FirstRows("nameless");
  ASSERT_NE(rows, nullptr);
  EXPECT_FALSE(map_.has_names);
  const std::vector<std::size_t> decoded = {0, 2, 3, 4, 5, 6};
  ASSERT_TRUE(decoder_.BindTable(map_, decoded));
  ASSERT_TRUE(decoder_.BeginEvent(RowsEventVersion::kV2, rows->body));
  ASSERT_TRUE(decoder_.NextRow().value());
  EXPECT_EQ(decoder_.values()[0], "4000000000");
  EXPECT_EQ(decoder_.values()[1], "é");
  EXPECT_EQ(ToHex(*decoder_.values()[2]), "0000803F00000040");
  EXPECT_EQ(decoder_.values()[3], "é€");
  EXPECT_EQ(ToHex(*decoder_.values()[4]), "000000000101000000000000000000F03F0000000000000040");
  EXPECT_EQ(decoder_.values()[5], "é");
  const std::vector<std::size_t> refused = {1};
  const auto bound = decoder_.BindTable(map_, refused);
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().hint.find("binlog_row_metadata = FULL"), std::string::npos);
}

TEST_F(ServerTruthTest, TruncatedEventsAreErrorsAtEveryLength) {
  for (const LoggedEvent& event : events_) {
    if (event.type == kTableMapEvent) {
      for (std::size_t size = 0; size < event.body.size(); ++size) {
        // Of its own memory, so that ASan sees a read beyond the end.
        const std::vector<std::uint8_t> cut(event.body.begin(),
                                            event.body.begin() + static_cast<std::ptrdiff_t>(size));
        static_cast<void>(ParseTableMapName(cut));
        static_cast<void>(TableMap::Parse(cut));
      }
    }
    if (TakeTableMap(event) || event.type != kWriteRowsEvent || event.body.size() > 4000) continue;
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < map_.columns.size(); ++i) {
      const std::vector<std::size_t> one = {i};
      if (decoder_.BindTable(map_, one)) wanted.push_back(i);
    }
    ASSERT_TRUE(decoder_.BindTable(map_, wanted));
    std::size_t whole_rows = 0;
    for (std::size_t size = 0; size < event.body.size(); size += 3) {
      const std::vector<std::uint8_t> cut(event.body.begin(),
                                          event.body.begin() + static_cast<std::ptrdiff_t>(size));
      if (!decoder_.BeginEvent(RowsEventVersion::kV2, cut)) continue;
      auto has_row = decoder_.NextRow();
      while (has_row && *has_row) has_row = decoder_.NextRow();
      if (has_row) ++whole_rows;  // Cut between two rows.
    }
    EXPECT_LE(whole_rows, 45U);
  }
}

}  // namespace
}  // namespace outboxd::binlog
