#include "binlog/table_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/binlog/table_map_bytes.h"

namespace outboxd::binlog {
namespace {

TableMap Parsed(const TableMapBytes& bytes) {
  const auto map = TableMap::Parse(bytes.bytes());
  EXPECT_TRUE(map) << map.error().message;
  return map ? *map : TableMap{};
}

ErrorKind Refusal(const TableMapBytes& bytes) {
  const auto map = TableMap::Parse(bytes.bytes());
  EXPECT_FALSE(map);
  return map ? ErrorKind::kInterrupted : map.error().kind;
}

TEST(TableMapTest, ReadsIdAndNames) {
  const std::vector<std::uint8_t> body = {1,   2, 3, 4,   5, 6, 0, 0, 2, 'd',
                                          '.', 0, 1, '`', 0, 1, 1, 0, 0};
  const auto name = ParseTableMapName(body);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->table_id, 0x060504030201U);
  EXPECT_EQ(name->schema_name, "d.");
  EXPECT_EQ(name->table_name, "`");
  const auto map = TableMap::Parse(body);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->table_id, name->table_id);
  EXPECT_EQ(map->schema_name, "d.");
  EXPECT_EQ(map->table_name, "`");
}

TEST(TableMapTest, NamesOfMoreThan250BytesHaveAPackedLength) {
  std::vector<std::uint8_t> body = {7, 0, 0, 0, 0, 0, 0, 0, 0xFC, 252, 0};
  body.insert(body.end(), 252, 'x');
  body.insert(body.end(), {0, 1, 't', 0});
  const auto name = ParseTableMapName(body);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->schema_name, std::string(252, 'x'));
  EXPECT_EQ(name->table_name, "t");
}

TEST(TableMapTest, ReadsTypesAndNullability) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kTinyType)
                                  .Column(kVarcharType, {0xFC, 0x03})
                                  .Column(kBitType, {1, 2})
                                  .Column(kDecimalType, {10, 2})
                                  .Nullable({0b0110}));
  ASSERT_EQ(map.columns.size(), 4U);
  EXPECT_EQ(map.columns[1].type, ColumnType::kVarchar);
  EXPECT_EQ(map.columns[1].metadata, 0x03FC);
  EXPECT_EQ(map.columns[2].metadata, 0x0201);
  EXPECT_EQ(map.columns[3].metadata, 10 * 256 + 2);
  EXPECT_FALSE(map.columns[0].nullable);
  EXPECT_TRUE(map.columns[1].nullable);
  EXPECT_TRUE(map.columns[2].nullable);
}

TEST(TableMapTest, AStringIsWhatItsMetadataSays) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kStringType, {0xFE, 40})
                                  .Column(kStringType, {0xCE, 0xFC})
                                  .Column(kStringType, {0xF7, 2})
                                  .Column(kStringType, {0xF8, 8}));
  EXPECT_EQ(map.columns[0].metadata, 40);
  EXPECT_EQ(map.columns[1].type, ColumnType::kString);
  EXPECT_EQ(map.columns[1].metadata, 1020);  // CHAR(255) of utf8mb4.
  EXPECT_EQ(map.columns[2].type, ColumnType::kEnum);
  EXPECT_EQ(map.columns[2].metadata, 2);
  EXPECT_EQ(map.columns[3].type, ColumnType::kSet);
  EXPECT_EQ(map.columns[3].metadata, 8);
}

TEST(TableMapTest, SignsStandInNumericColumnsOnlyAndYearIsOne) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kLongType)
                                  .Column(kVarcharType, {10, 0})
                                  .Column(kYearType)
                                  .Column(kFloatType, {4})
                                  .Column(kDecimalType, {5, 0})
                                  .Column(kLongType)
                                  .Optional(1, {0b01001000}));
  EXPECT_TRUE(map.has_signedness);
  const std::vector<bool> expected = {false, false, true, false, false, true};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(map.columns[i].is_unsigned, expected[i]) << i;
  }
}

TEST(TableMapTest, SignsOfMoreThanEightColumnsTakeFurtherBytes) {
  TableMapBytes bytes;
  for (int i = 0; i < 9; ++i) bytes.Column(kTinyType);
  const TableMap map = Parsed(bytes.Optional(1, {0x01, 0x80}));
  EXPECT_FALSE(map.columns[6].is_unsigned);
  EXPECT_TRUE(map.columns[7].is_unsigned);
  EXPECT_TRUE(map.columns[8].is_unsigned);
}

TEST(TableMapTest, WithoutMetadataNothingIsTold) {
  const TableMap map = Parsed(TableMapBytes().Column(kLongType));
  EXPECT_FALSE(map.has_signedness);
  EXPECT_FALSE(map.has_names);
  EXPECT_EQ(map.columns[0].collation, 0U);
}

TEST(TableMapTest, CollationsCountCharacterColumnsAndVectorIsOne) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kVectorType, {4})
                                  .Column(kJsonType, {4})
                                  .Column(kStringType, {0xF7, 1})
                                  .Column(kStringType, {0xFE, 9})
                                  .Column(kBlobType, {2})
                                  .Column(kGeometryType, {4})
                                  .Column(kVarcharType, {9, 0})
                                  .Optional(2, {63, 1, 8, 3, 0xFC, 255, 0}));
  EXPECT_EQ(map.columns[0].collation, 63U);
  EXPECT_EQ(map.columns[1].collation, 0U);
  EXPECT_EQ(map.columns[2].collation, 0U);
  EXPECT_EQ(map.columns[3].collation, 8U);
  EXPECT_EQ(map.columns[4].collation, 63U);
  EXPECT_EQ(map.columns[6].collation, 255U);
}

TEST(TableMapTest, CollationsMayStandForEachColumn) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kVarcharType, {9, 0})
                                  .Column(kLongType)
                                  .Column(kBlobType, {2})
                                  .Column(kStringType, {0xF7, 1})
                                  .Column(kStringType, {0xF8, 1})
                                  .Optional(3, {8, 63})
                                  .Optional(11, {33, 0xFC, 255, 0}));
  EXPECT_EQ(map.columns[0].collation, 8U);
  EXPECT_EQ(map.columns[2].collation, 63U);
  EXPECT_EQ(map.columns[3].collation, 33U);
  EXPECT_EQ(map.columns[4].collation, 255U);
}

TEST(TableMapTest, ReadsNamesAndMembers) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kStringType, {0xF8, 1})
                                  .Column(kStringType, {0xF7, 1})
                                  .Column(kStringType, {0xF7, 1})
                                  .Optional(4, TableMapBytes::Texts({"s", "", "long name"}))
                                  .Optional(5, {2, 1, 'x', 1, 'y'})
                                  .Optional(6, {1, 1, 0xE9, 2, 0, 1, 'z'})
                                  .Optional(10, {8}));
  EXPECT_TRUE(map.has_names);
  EXPECT_EQ(map.columns[2].name, "long name");
  EXPECT_EQ(map.columns[0].members, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(map.columns[1].members, (std::vector<std::string>{"\xE9"}));
  EXPECT_EQ(map.columns[2].members, (std::vector<std::string>{"", "z"}));
  EXPECT_EQ(map.columns[2].collation, 8U);
}

TEST(TableMapTest, UnknownAndEmptyMetadataAreSkipped) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kLongType)
                                  .Optional(99, {1, 2, 3})
                                  .Optional(200, {})
                                  .Optional(1, {})
                                  .Optional(4, TableMapBytes::Texts({"a"})));
  EXPECT_EQ(map.columns[0].name, "a");
  EXPECT_FALSE(map.has_signedness);
}

TEST(TableMapTest, AnUnknownColumnTypeIsUndecodable) {
  EXPECT_EQ(Refusal(TableMapBytes().Column(99)), ErrorKind::kUndecodable);
  EXPECT_EQ(Refusal(TableMapBytes().Column(243)), ErrorKind::kUndecodable);
}

TEST(TableMapTest, ATypedArrayHasTheMetadataOfItsElements) {
  const TableMap map = Parsed(TableMapBytes()
                                  .Column(kArrayType, {kVarcharType, 1, 2, 3})
                                  .Column(kArrayType, {kDecimalType, 10, 2})
                                  .Column(kArrayType, {8})
                                  .Column(kVarcharType, {0x2C, 0x01}));
  EXPECT_EQ(map.columns[3].metadata, 300);
}

TEST(TableMapTest, MetadataThatDoesNotFitIsCorrupt) {
  const auto column = [] { return TableMapBytes().Column(kLongType); };
  EXPECT_EQ(Refusal(TableMapBytes().Column(kVarcharType, {1})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(TableMapBytes().Column(kVarcharType, {1, 2, 3})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(column().Optional(1, {0, 0})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(column().Optional(2, {8, 0, 9})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(column().Optional(2, {255})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(column().Optional(3, {8})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(column().Optional(4, {1, 'a', 1, 'b'})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(column().Optional(4, {2, 'a'})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(column().Optional(6, {1, 1, 'a'})), ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(TableMapBytes()
                        .Column(kStringType, {0xF7, 1})
                        .Optional(6, {0xFE, 255, 255, 255, 255, 255, 255, 255, 255})),
            ErrorKind::kCorrupt);
  EXPECT_EQ(Refusal(TableMapBytes()), ErrorKind::kCorrupt);
}

TEST(TableMapTest, EveryTruncationThatCutsAPartIsCorrupt) {
  const auto whole = TableMapBytes()
                         .Column(kLongType)
                         .Column(kVarcharType, {9, 0})
                         .Optional(1, {0x80})
                         .Optional(3, {8})
                         .Optional(4, TableMapBytes::Texts({"id", "name"}))
                         .bytes();
  std::size_t parsed = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::uint8_t> cut(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto map = TableMap::Parse(cut);
    if (map) {
      ++parsed;
    } else {
      EXPECT_EQ(map.error().kind, ErrorKind::kCorrupt);
    }
  }
  EXPECT_EQ(parsed, 3U);  // Between two pieces of optional metadata.
}

TEST(TableMapTest, TypesHaveNames) {
  EXPECT_EQ(NameOf(ColumnType::kNewDecimal), "DECIMAL");
  EXPECT_EQ(NameOf(static_cast<ColumnType>(99)), "type 99");
}

}  // namespace
}  // namespace outboxd::binlog
