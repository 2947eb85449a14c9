#include "binlog/row_decoder.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/binlog/table_map_bytes.h"

namespace outboxd::binlog {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets Joined(std::initializer_list<Octets> parts) {
  Octets joined;
  for (const Octets& part : parts) joined.insert(joined.end(), part.begin(), part.end());
  return joined;
}

const Octets kHeaderV2 = {7, 0, 0, 0, 0, 0, 1, 0, 2, 0};
const Octets kHeaderV1 = {7, 0, 0, 0, 0, 0, 1, 0};

class RowDecoderTest : public testing::Test {
 protected:
  void SetTable(const TableMapBytes& bytes) {
    auto map = TableMap::Parse(bytes.bytes());
    ASSERT_TRUE(map) << map.error().message;
    map_ = std::move(*map);
  }
  Result<void> Bind(std::vector<std::size_t> wanted, std::vector<ColumnDefault> defaults = {}) {
    return decoder_.BindTable(map_, wanted, std::move(defaults));
  }
  Result<void> Begin(Octets body, RowsEventVersion version = RowsEventVersion::kV2,
                     RowChange change = RowChange::kInsert) {
    body_ = std::move(body);
    return decoder_.BeginEvent(version, body_, change);
  }
  Result<void> BeginUpdate(Octets body) {
    return Begin(std::move(body), RowsEventVersion::kV2, RowChange::kUpdate);
  }
  // TINYINT `id` and VARCHAR `kind`, which may be NULL.
  void SetTableOfTwo() {
    SetTable(TableMapBytes()
                 .Column(kTinyType)
                 .Column(kVarcharType, {9, 0})
                 .Nullable({2})
                 .Optional(1, {0})
                 .Optional(2, {33})
                 .Optional(4, TableMapBytes::Texts({"id", "kind"})));
  }
  Result<void> BindChanges(std::vector<std::size_t> wanted, std::vector<std::size_t> key,
                           std::vector<ColumnDefault> defaults = {}) {
    return decoder_.BindChanges(map_, wanted, key, std::move(defaults));
  }
  static std::string TextOf(std::span<const ColumnValue> values) {
    std::string line;
    for (const ColumnValue& value : values) {
      if (!line.empty()) line += '|';
      line += value ? *value : "NULL";
    }
    return line;
  }
  // The next row and its key; of an update the row before and its key as well.
  std::string NextChange(bool is_update = false) {
    std::string values = Next();
    if (values == "end" || values == "error") return values;
    std::string after = values + " key " + TextOf(decoder_.key());
    if (!is_update) return after;
    return TextOf(decoder_.before()) + " key " + TextOf(decoder_.key_before()) + " -> " + after;
  }
  // The values of the next row, NULL as "NULL", joined by '|'; else "end" or "error".
  std::string Next() {
    const auto has_row = decoder_.NextRow();
    if (!has_row) {
      error_ = has_row.error();
      return "error";
    }
    return *has_row ? TextOf(decoder_.values()) : "end";
  }
  // The same of a value as part of a key.
  std::string DecodeKey(const TableMapBytes& table, const Octets& value) {
    SetTable(table);
    const auto bound = BindChanges({}, {0});
    if (!bound) return "not bound: " + bound.error().ToText();
    EXPECT_TRUE(Begin(Joined({kHeaderV2, {1, 1, 0}, value})));
    return Next() == "error" ? "error" : TextOf(decoder_.key());
  }
  // The text of the only value of a table with that column.
  std::string Decode(const TableMapBytes& table, const Octets& value) {
    SetTable(table);
    const auto bound = Bind({0});
    if (!bound) return "not bound: " + bound.error().ToText();
    EXPECT_TRUE(Begin(Joined({kHeaderV2, {1, 1, 0}, value})));
    return Next();
  }

  CharacterSets character_sets_;
  RowDecoder decoder_{character_sets_};
  TableMap map_;
  Octets body_;
  Error error_{};
};

const Octets kSigned = {0};
const Octets kUnsigned = {0x80};

TableMapBytes Text(Octets metadata, std::uint8_t collation, std::uint8_t type = kVarcharType) {
  return TableMapBytes().Column(type, std::move(metadata)).Optional(3, {collation});
}

TEST_F(RowDecoderTest, DecodesWantedColumnsInTheAskedOrder) {
  SetTable(TableMapBytes()
               .Column(kTinyType)
               .Column(kVarcharType, {9, 0})
               .Column(kLongType)
               .Optional(1, kSigned)
               .Optional(2, {33}));
  ASSERT_TRUE(Bind({2, 1, 2}));
  ASSERT_TRUE(Begin(Joined(
      {kHeaderV2, {3, 7}, {0, 1, 2, 'a', 'b', 5, 0, 0, 0}, {2, 9, 0xFF, 0xFF, 0xFF, 0xFF}})));
  EXPECT_EQ(Next(), "5|ab|5");
  EXPECT_EQ(Next(), "-1|NULL|-1");
  EXPECT_EQ(Next(), "end");
}

TEST_F(RowDecoderTest, ReadsBothVersionsAndSkipsExtraInformation) {
  SetTable(TableMapBytes().Column(kTinyType).Optional(1, kSigned));
  ASSERT_TRUE(Bind({0}));
  ASSERT_TRUE(Begin(Joined({kHeaderV1, {1, 1, 0, 42}}), RowsEventVersion::kV1));
  EXPECT_EQ(Next(), "42");
  // A partition number, and something unknown.
  ASSERT_TRUE(
      Begin(Joined({{7, 0, 0, 0, 0, 0, 17, 0, 9, 0, 1, 3, 0, 99, 1, 2, 3}, {1, 1, 0, 43}})));
  EXPECT_EQ(Next(), "43");
}

TEST_F(RowDecoderTest, IntegersHaveTheSignOfTheirColumn) {
  const auto table = [](std::uint8_t type, const Octets& sign) {
    return TableMapBytes().Column(type).Optional(1, sign);
  };
  EXPECT_EQ(Decode(table(1, kSigned), {0x80}), "-128");
  EXPECT_EQ(Decode(table(1, kUnsigned), {0x80}), "128");
  EXPECT_EQ(Decode(table(2, kSigned), {0xFF, 0xFF}), "-1");
  EXPECT_EQ(Decode(table(2, kUnsigned), {0xFF, 0xFF}), "65535");
  EXPECT_EQ(Decode(table(9, kSigned), {0, 0, 0x80}), "-8388608");
  EXPECT_EQ(Decode(table(9, kUnsigned), {0, 0, 0x80}), "8388608");
  EXPECT_EQ(Decode(table(3, kUnsigned), {0xFF, 0xFF, 0xFF, 0xFF}), "4294967295");
  EXPECT_EQ(Decode(table(8, kSigned), {0, 0, 0, 0, 0, 0, 0, 0x80}), "-9223372036854775808");
  EXPECT_EQ(Decode(table(8, kUnsigned), Octets(8, 0xFF)), "18446744073709551615");
}

TEST_F(RowDecoderTest, WithoutSignsAnIntegerIsRefusedIfWanted) {
  SetTable(TableMapBytes().Column(kLongType).Column(kYearType));
  const auto bound = Bind({0});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(bound.error().hint, "");
  EXPECT_TRUE(Bind({1}));
}

TEST_F(RowDecoderTest, AMissingWantedColumnIsAnErrorAndNotNull) {
  SetTable(TableMapBytes()
               .Column(kTinyType)
               .Column(kTinyType)
               .Optional(1, kSigned)
               .Optional(4, TableMapBytes::Texts({"id", "kind"})));
  ASSERT_TRUE(Bind({1}));
  const auto begun = Begin(Joined({kHeaderV2, {2, 0b01, 0, 9}}));
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(begun.error().message.find("'kind'"), std::string::npos);
  EXPECT_EQ(Next(), "end");
}

TEST_F(RowDecoderTest, TheNullBitmapHasOneBitForEachPresentColumn) {
  TableMapBytes table;
  for (int i = 0; i < 9; ++i) table.Column(kTinyType);
  SetTable(table.Optional(1, {0, 0}));
  ASSERT_TRUE(Bind({8, 1}));
  // Columns 1 and 8 are present, so one byte of null bits and not two.
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {9, 0x02, 0x01}, {0b00, 5, 6}, {0b10, 7}})));
  EXPECT_EQ(Next(), "6|5");
  EXPECT_EQ(Next(), "NULL|7");
  EXPECT_EQ(Next(), "end");
}

TEST_F(RowDecoderTest, BinaryGetsItsTrailingZerosBack) {
  const TableMapBytes binary = Text({0xFE, 4}, 63, kStringType);
  EXPECT_EQ(Decode(binary, {2, 'a', 'b'}), std::string("ab\0\0", 4));
  EXPECT_EQ(Decode(binary, {0}), std::string(4, '\0'));
  EXPECT_EQ(Decode(binary, {4, 'a', ' ', ' ', ' '}), "a   ");
  EXPECT_EQ(Decode(binary, {5, 'a', 'b', 'c', 'd', 'e'}), "error");
  EXPECT_EQ(Decode(Text({0xFE, 4}, 33, kStringType), {2, 'a', 'b'}), "ab");
}

TEST_F(RowDecoderTest, TheLengthOfAVarcharTakesTwoBytesAbove255) {
  EXPECT_EQ(Decode(Text({255, 0}, 33), {1, 'a'}), "a");
  EXPECT_EQ(Decode(Text({0, 1}, 33), {1, 0, 'a'}), "a");
}

TEST_F(RowDecoderTest, ConvertsToUtf8ByCollation) {
  EXPECT_EQ(Decode(Text({9, 0}, 8), {2, 0xE9, 0x80}), "é€");
  EXPECT_EQ(Decode(Text({2}, 28, kBlobType), {2, 0, 0xBA, 0xBA}), "汉");
  EXPECT_EQ(Decode(Text({9, 0}, 29), {1, 0x81}), "error");
  EXPECT_EQ(error_.kind, ErrorKind::kUndecodable);
}

TEST_F(RowDecoderTest, AnUntoldOrUnknownCharacterSetIsRefused) {
  SetTable(TableMapBytes().Column(kVarcharType, {9, 0}));
  EXPECT_FALSE(Bind({0}));
  SetTable(Text({9, 0}, 250).Optional(3, {0xFC, 0, 9}));
  EXPECT_FALSE(Bind({0}));
  character_sets_.Add(2304, "utf8mb4");
  EXPECT_TRUE(Bind({0}));
  character_sets_.Add(2304, "klingon");
  EXPECT_FALSE(Bind({0}));
}

TEST_F(RowDecoderTest, EnumZeroIsTheEmptyText) {
  const TableMapBytes table = TableMapBytes()
                                  .Column(kStringType, {0xF7, 1})
                                  .Optional(6, {2, 1, 'a', 1, 0xE9})
                                  .Optional(10, {8});
  EXPECT_EQ(Decode(table, {0}), "");
  EXPECT_EQ(Decode(table, {1}), "a");
  EXPECT_EQ(Decode(table, {2}), "é");
  EXPECT_EQ(Decode(table, {3}), "error");
}

TEST_F(RowDecoderTest, SetsJoinTheirMembers) {
  const TableMapBytes table = TableMapBytes()
                                  .Column(kStringType, {0xF8, 1})
                                  .Optional(5, {3, 1, 'a', 1, 'b', 1, 'c'})
                                  .Optional(10, {33});
  EXPECT_EQ(Decode(table, {0}), "");
  EXPECT_EQ(Decode(table, {5}), "a,c");
  EXPECT_EQ(Decode(table, {7}), "a,b,c");
  EXPECT_EQ(Decode(table, {8}), "error");
}

TEST_F(RowDecoderTest, AnEnumWithoutMembersIsRefusedWithTheSetting) {
  const std::string bound = Decode(TableMapBytes().Column(kStringType, {0xF7, 1}), {1});
  EXPECT_NE(bound.find("binlog_row_metadata = FULL"), std::string::npos) << bound;
}

TEST_F(RowDecoderTest, ATypeOfUnknownSizeIsRefusedEvenIfNobodyWantsIt) {
  SetTable(TableMapBytes().Column(0).Column(kTinyType).Optional(1, kSigned));
  const auto bound = Bind({1});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(bound.error().message.find("DECIMAL of MySQL 4"), std::string::npos);
}

TEST_F(RowDecoderTest, MetadataThatNoServerWritesIsCorrupt) {
  for (const TableMapBytes& table :
       {TableMapBytes().Column(kFloatType, {8}), TableMapBytes().Column(kDoubleType, {4}),
        TableMapBytes().Column(kBlobType, {5}), TableMapBytes().Column(kDecimalType, {2, 3}),
        TableMapBytes().Column(kDecimalType, {99, 3}), TableMapBytes().Column(19, {7}),
        TableMapBytes().Column(kStringType, {0xF7, 9}), TableMapBytes().Column(kBitType, {1, 8}),
        TableMapBytes().Column(kBitType, {8, 1})}) {
    SetTable(table);
    const auto bound = Bind({});
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().kind, ErrorKind::kCorrupt);
  }
}

TEST_F(RowDecoderTest, InfinityAndNoNumberAreErrors) {
  EXPECT_EQ(Decode(TableMapBytes().Column(kFloatType, {4}), {0, 0, 0x80, 0x7F}), "error");
  EXPECT_EQ(Decode(TableMapBytes().Column(kDoubleType, {8}), {0, 0, 0, 0, 0, 0, 0xF8, 0x7F}),
            "error");
}

TEST_F(RowDecoderTest, AColumnCountUnlikeTheMapsIsCorrupt) {
  SetTable(TableMapBytes().Column(kTinyType).Optional(1, kSigned));
  ASSERT_TRUE(Bind({0}));
  const auto begun = Begin(Joined({kHeaderV2, {2, 3, 0, 1, 2}}));
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::kCorrupt);
}

TEST_F(RowDecoderTest, RowsWithoutColumnsAreCorruptAndNoEndlessLoop) {
  SetTable(TableMapBytes().Column(kTinyType).Optional(1, kSigned));
  ASSERT_TRUE(Bind({}));
  EXPECT_FALSE(Begin(Joined({kHeaderV2, {1, 0, 1, 2, 3}})));
  EXPECT_TRUE(Begin(Joined({kHeaderV2, {1, 0}})));
  EXPECT_EQ(Next(), "end");
}

TEST_F(RowDecoderTest, EveryTruncationIsAnError) {
  SetTable(TableMapBytes()
               .Column(kLongType)
               .Column(kVarcharType, {44, 1})
               .Column(kBlobType, {2})
               .Optional(1, kSigned)
               .Optional(2, {33}));
  ASSERT_TRUE(Bind({0, 1, 2}));
  const Octets whole = Joined({kHeaderV2, {3, 7, 0}, {1, 0, 0, 0}, {2, 0, 'a', 'b'}, {1, 0, 'c'}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto begun = Begin(cut);
    const bool no_rows = size == kHeaderV2.size() + 2;
    EXPECT_EQ(begun && Next() == "end", no_rows) << size;
    EXPECT_EQ(Next(), "end") << "after an error too";
  }
  ASSERT_TRUE(Begin(whole));
  EXPECT_EQ(Next(), "1|ab|c");
}

TEST_F(RowDecoderTest, TheWidthOfTheExtraHeaderIsChecked) {
  SetTable(TableMapBytes().Column(kTinyType).Optional(1, kSigned));
  ASSERT_TRUE(Bind({0}));
  EXPECT_FALSE(Begin({7, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 5}));
  EXPECT_FALSE(Begin({7, 0, 0, 0, 0, 0, 1, 0, 200, 0, 1, 1, 0, 5}));
}

TEST_F(RowDecoderTest, ValuesOfOneRowHoldWhileItsTextsGrow) {
  SetTable(TableMapBytes()
               .Column(kTinyType)
               .Column(kVarcharType, {0, 200})
               .Column(kTinyType)
               .Optional(1, kSigned)
               .Optional(3, {8}));
  ASSERT_TRUE(Bind({0, 1, 2}));
  Octets body = Joined({kHeaderV2, {3, 7, 0, 11}, {0x40, 0x9C}});
  body.insert(body.end(), 40'000, 0xE9);
  body.push_back(22);
  ASSERT_TRUE(Begin(body));
  const std::string row = Next();
  EXPECT_EQ(row.substr(0, 5), "11|é");
  EXPECT_EQ(row.substr(row.size() - 5), "é|22");
  EXPECT_EQ(row.size(), 80'006U);
}

TEST_F(RowDecoderTest, TextThatNeedsNoChangeIsAViewOfTheEvent) {
  SetTable(Text({9, 0}, 33));
  ASSERT_TRUE(Bind({0}));
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {1, 1, 0, 2, 'a', 'b'}})));
  ASSERT_EQ(Next(), "ab");
  EXPECT_EQ(static_cast<const void*>(decoder_.values()[0]->data()), &body_[body_.size() - 2]);
}

TEST_F(RowDecoderTest, AnUpdateIsTheRowAsItIsAfterwards) {
  SetTableOfTwo();
  ASSERT_TRUE(Bind({0, 1}));
  ASSERT_TRUE(BeginUpdate(Joined({kHeaderV2,
                                  {2, 3, 3},
                                  {0, 1, 3, 'o', 'l', 'd', 0, 1, 3, 'n', 'e', 'w'},
                                  {2, 2, 0, 2, 1, 'x'},
                                  {0, 3, 1, 'x', 2, 3}})));
  EXPECT_EQ(Next(), "1|new");
  EXPECT_EQ(Next(), "2|x");
  EXPECT_EQ(Next(), "3|NULL");
  EXPECT_EQ(Next(), "end");
}

TEST_F(RowDecoderTest, EachImageOfAnUpdateHasItsOwnColumns) {
  SetTableOfTwo();
  ASSERT_TRUE(Bind({1}));
  // The key before, the change after.
  ASSERT_TRUE(BeginUpdate(Joined({kHeaderV2, {2, 1, 2}, {0, 1, 0, 1, 'a'}, {0, 2, 1}})));
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "NULL");
  EXPECT_EQ(Next(), "end");
  // No image before at all, as in a table without keys that MINIMAL logs.
  ASSERT_TRUE(BeginUpdate(Joined({kHeaderV2, {2, 0, 3}, {0, 1, 1, 'b'}})));
  EXPECT_EQ(Next(), "b");
}

TEST_F(RowDecoderTest, ADefaultIsNotTheValueOfAColumnThatAnUpdateLeftAlone) {
  SetTableOfTwo();
  ASSERT_TRUE(Bind({0, 1}, {{.ordinal = 0, .value = "7"}}));
  const auto begun = BeginUpdate(Joined({kHeaderV2, {2, 3, 2}, {0, 1, 1, 'a', 0, 1, 'b'}}));
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(begun.error().message.find("'id'"), std::string::npos);
}

TEST_F(RowDecoderTest, EveryTruncationOfAnUpdateIsAnError) {
  SetTableOfTwo();
  ASSERT_TRUE(Bind({0, 1}));
  const Octets whole =
      Joined({kHeaderV2, {2, 3, 3}, {0, 1, 3, 'o', 'l', 'd', 0, 1, 3, 'n', 'e', 'w'}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto begun =
        BeginUpdate(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const bool no_rows = size == kHeaderV2.size() + 3;
    EXPECT_EQ(begun && Next() == "end", no_rows) << size;
  }
}

TEST_F(RowDecoderTest, ADefaultStandsInForAColumnThatARowWasInsertedWithout) {
  SetTableOfTwo();
  ASSERT_TRUE(Bind({1, 0, 1}, {{.ordinal = 1, .value = "created"}}));
  const Octets without = Joined({kHeaderV2, {2, 1}, {0, 1}, {0, 2}});
  ASSERT_TRUE(Begin(without));
  EXPECT_EQ(Next(), "created|1|created");
  EXPECT_EQ(Next(), "created|2|created");
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {2, 3}, {0, 3, 1, 'x'}, {2, 4}})));
  EXPECT_EQ(Next(), "x|3|x");
  EXPECT_EQ(Next(), "NULL|4|NULL");
  ASSERT_TRUE(Begin(without));
  EXPECT_EQ(Next(), "created|1|created");
}

TEST_F(RowDecoderTest, ADefaultMayBeNull) {
  SetTableOfTwo();
  ASSERT_TRUE(Bind({0, 1}, {{.ordinal = 1, .value = std::nullopt}}));
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {2, 3}, {0, 1, 1, 'x'}})));
  EXPECT_EQ(Next(), "1|x");
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {2, 1}, {0, 2}})));
  EXPECT_EQ(Next(), "2|NULL");
}

TEST_F(RowDecoderTest, DefaultsEndWithTheTableTheyAreBoundTo) {
  SetTableOfTwo();
  ASSERT_TRUE(Bind({1}, {{.ordinal = 1, .value = "x"}}));
  ASSERT_TRUE(Bind({1}));
  EXPECT_FALSE(Begin(Joined({kHeaderV2, {2, 1}, {0, 1}})));
}

// As SELECT prints `column` + 0, a DOUBLE.
TEST_F(RowDecoderTest, AFloatInAKeyHasAllItsDigits) {
  const TableMapBytes table = TableMapBytes().Column(kFloatType, {4});
  EXPECT_EQ(DecodeKey(table, {0xCD, 0xCC, 0xCC, 0x3D}), "0.10000000149011612");
  EXPECT_EQ(DecodeKey(table, {0, 0, 0x80, 0x4B}), "16777216");
  EXPECT_EQ(DecodeKey(table, {1, 0, 0x80, 0x4B}), "16777218");
  EXPECT_EQ(DecodeKey(table, {0xEC, 0x78, 0xAD, 0x60}), "1.0000000200408773e20");
  EXPECT_EQ(DecodeKey(table, {0, 0, 0x20, 0xC0}), "-2.5");
  EXPECT_EQ(DecodeKey(table, {0, 0, 0, 0x80}), "0") << "-0 + 0";
  EXPECT_EQ(DecodeKey(table, {0, 0, 0x80, 0x7F}), "error") << "infinite";
}

TEST_F(RowDecoderTest, AnEnumOrASetInAKeyIsItsNumber) {
  const TableMapBytes members = TableMapBytes()
                                    .Column(kStringType, {0xF7, 2})
                                    .Optional(6, {2, 1, 'a', 1, 'b'})
                                    .Optional(10, {33});
  EXPECT_EQ(DecodeKey(members, {2, 0}), "2");
  EXPECT_EQ(DecodeKey(members, {0, 0}), "0");
  const TableMapBytes no_members = TableMapBytes().Column(kStringType, {0xF7, 2});
  EXPECT_EQ(DecodeKey(no_members, {0x2C, 1}), "300") << "their texts are not needed";
  const TableMapBytes set = TableMapBytes().Column(kStringType, {0xF8, 8});
  EXPECT_EQ(DecodeKey(set, {5, 0, 0, 0, 0, 0, 0, 0x80}), "9223372036854775813");
}

TEST_F(RowDecoderTest, AnyOtherColumnOfAKeyIsAsSelectShowsIt) {
  EXPECT_EQ(DecodeKey(Text({0xFE, 4}, 63, kStringType), {1, 'a'}), std::string("a\0\0\0", 4));
  EXPECT_EQ(DecodeKey(Text({9, 0}, 8), {1, 0xE9}), "é");
  EXPECT_EQ(DecodeKey(TableMapBytes().Column(kTinyType).Optional(1, kUnsigned), {200}), "200");
  EXPECT_EQ(DecodeKey(TableMapBytes().Column(kDoubleType, {8}), {0, 0, 0, 0, 0, 0, 0xF0, 0x3F}),
            "1");
}

TEST_F(RowDecoderTest, WantedColumnsAndThoseOfTheKeyMayOverlapAndRepeat) {
  SetTable(TableMapBytes()
               .Column(kTinyType)
               .Column(kFloatType, {4})
               .Column(kStringType, {0xF7, 1})
               .Optional(1, kSigned)
               .Optional(6, {2, 1, 'a', 1, 'b'})
               .Optional(10, {33}));
  ASSERT_TRUE(BindChanges({2, 1, 2, 0}, {1, 0, 2, 1, 2, 0}));
  const Octets row = {0, 7, 0xCD, 0xCC, 0xCC, 0x3D, 2};
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {3, 7}, row, {0b111}})));
  EXPECT_EQ(NextChange(), "b|0.1|b|7 key 0.10000000149011612|7|2|0.10000000149011612|2|7");
  EXPECT_EQ(NextChange(), "NULL|NULL|NULL|NULL key NULL|NULL|NULL|NULL|NULL|NULL");
  EXPECT_EQ(Next(), "end");
  ASSERT_TRUE(Bind({1}));
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {3, 7}, row})));
  EXPECT_EQ(Next(), "0.1") << "the key ends with the table it was bound to";
}

TEST_F(RowDecoderTest, AChangeIsTheRowBeforeAndAfterwards) {
  SetTableOfTwo();
  ASSERT_TRUE(BindChanges({1}, {0}));
  const Octets image_1 = {0, 1, 3, 'o', 'l', 'd'};
  const Octets image_2 = {0, 2, 3, 'n', 'e', 'w'};
  const Octets image_3 = {2, 3};
  ASSERT_TRUE(BeginUpdate(
      Joined({kHeaderV2, {2, 3, 3}, image_1, image_2, image_3, image_1, image_2, image_3})));
  EXPECT_EQ(NextChange(true), "old key 1 -> new key 2");
  EXPECT_EQ(NextChange(true), "NULL key 3 -> old key 1");
  EXPECT_EQ(NextChange(true), "new key 2 -> NULL key 3");
  EXPECT_EQ(Next(), "end");
  EXPECT_FALSE(decoder_.is_partial());
  ASSERT_TRUE(Begin(Joined({kHeaderV1, {2, 3}, image_1, image_3}), RowsEventVersion::kV1,
                    RowChange::kDelete));
  EXPECT_EQ(NextChange(), "old key 1");
  EXPECT_EQ(NextChange(), "NULL key 3");
  EXPECT_EQ(Next(), "end");
  EXPECT_FALSE(decoder_.is_partial());
}

TEST_F(RowDecoderTest, WhatLacksOnlyBehindAChangeIsAsItWasBefore) {
  SetTableOfTwo();
  ASSERT_TRUE(BindChanges({1, 0, 0}, {0}));
  ASSERT_TRUE(BeginUpdate(Joined({kHeaderV2, {2, 3, 2}, {0, 1, 1, 'a', 0, 1, 'b'}})));
  EXPECT_EQ(NextChange(true), "a|1|1 key 1 -> b|1|1 key 1");
  EXPECT_FALSE(decoder_.is_partial());
}

TEST_F(RowDecoderTest, AChangeThatLacksAColumnIsPartialAndTheColumnNull) {
  SetTableOfTwo();
  ASSERT_TRUE(BindChanges({0, 1}, {0}));
  // The key before, the change after.
  ASSERT_TRUE(BeginUpdate(Joined({kHeaderV2, {2, 1, 2}, {0, 1, 0, 1, 'b'}})));
  EXPECT_EQ(NextChange(true), "1|NULL key 1 -> 1|b key 1");
  EXPECT_TRUE(decoder_.is_partial());
  // A TEXT that was not changed, under NOBLOB.
  ASSERT_TRUE(BeginUpdate(Joined({kHeaderV2, {2, 1, 1}, {0, 1, 0, 2}})));
  EXPECT_EQ(NextChange(true), "1|NULL key 1 -> 2|NULL key 2");
  EXPECT_TRUE(decoder_.is_partial());
  ASSERT_TRUE(
      Begin(Joined({kHeaderV2, {2, 1}, {0, 5}}), RowsEventVersion::kV2, RowChange::kDelete));
  EXPECT_EQ(NextChange(), "5|NULL key 5");
  EXPECT_TRUE(decoder_.is_partial());
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {2, 3}, {0, 5, 1, 'x'}})));
  EXPECT_EQ(NextChange(), "5|x key 5");
  EXPECT_FALSE(decoder_.is_partial()) << "an event of its own";
  ASSERT_TRUE(BindChanges({0}, {0}));
  ASSERT_TRUE(BeginUpdate(Joined({kHeaderV2, {2, 1, 1}, {0, 1, 0, 2}})));
  EXPECT_FALSE(decoder_.is_partial()) << "nobody wants the other column";
}

TEST_F(RowDecoderTest, ADefaultIsOnlyThatOfAnInsertedRow) {
  SetTableOfTwo();
  ASSERT_TRUE(BindChanges({0, 1}, {0}, {{.ordinal = 1, .value = "created"}}));
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {2, 1}, {0, 1}})));
  EXPECT_EQ(NextChange(), "1|created key 1");
  EXPECT_FALSE(decoder_.is_partial());
  ASSERT_TRUE(
      Begin(Joined({kHeaderV2, {2, 1}, {0, 1}}), RowsEventVersion::kV2, RowChange::kDelete));
  EXPECT_EQ(NextChange(), "1|NULL key 1");
  EXPECT_TRUE(decoder_.is_partial());
}

TEST_F(RowDecoderTest, ADeclaredDefaultIsNoNumberOfAnEnum) {
  SetTable(TableMapBytes()
               .Column(kTinyType)
               .Column(kStringType, {0xF7, 1})
               .Optional(1, kSigned)
               .Optional(6, {1, 1, 'a'})
               .Optional(10, {33}));
  ASSERT_TRUE(BindChanges({1}, {0, 1}, {{.ordinal = 1, .value = "a"}}));
  ASSERT_TRUE(Begin(Joined({kHeaderV2, {2, 1}, {0, 1}})));
  EXPECT_EQ(NextChange(), "a key 1|NULL");
  EXPECT_TRUE(decoder_.is_partial());
}

TEST_F(RowDecoderTest, EveryTruncationOfAChangeIsAnError) {
  SetTableOfTwo();
  ASSERT_TRUE(BindChanges({0, 1}, {0}));
  const Octets whole =
      Joined({kHeaderV2, {2, 3, 3}, {0, 1, 3, 'o', 'l', 'd', 0, 1, 3, 'n', 'e', 'w'}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto begun =
        BeginUpdate(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const bool no_rows = size == kHeaderV2.size() + 3;
    EXPECT_EQ(begun && Next() == "end", no_rows) << size;
    EXPECT_EQ(Next(), "end") << "after an error too";
  }
}

}  // namespace
}  // namespace outboxd::binlog
