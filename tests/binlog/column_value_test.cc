// Each column type by its number in the log: how many bytes its values take, and what they say.
// row_decoder_server_truth_test.cc has those that today's server writes; here are also those that
// only old tables and servers have, and the edges of metadata.

#include "binlog/column_value.h"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/row_decoder.h"
#include "tests/binlog/table_map_bytes.h"

namespace outboxd::binlog {
namespace {

using namespace std::string_view_literals;
using Octets = std::vector<std::uint8_t>;

struct TypeCase {
  std::string_view name;
  std::uint8_t type;
  Octets metadata;
  Octets stored;                         // As it stands in a row, length included.
  std::optional<std::string_view> text;  // None: it is not decoded.
  std::uint8_t collation = 0;            // 0: the column has none.
};

std::ostream& operator<<(std::ostream& out, const TypeCase& type) { return out << type.name; }

constexpr std::uint8_t kLatin1 = 8;
constexpr std::uint8_t kUtf8 = 33;
constexpr std::uint8_t kBinary = 63;

const TypeCase kTypeCases[] = {
    {"tiny", 1, {}, {0xFF}, "-1"},
    {"short", 2, {}, {0x00, 0x80}, "-32768"},
    {"long", 3, {}, {0xFE, 0xFF, 0xFF, 0xFF}, "-2"},
    {"float", 4, {4}, {0, 0, 0x80, 0x3F}, "1"},
    {"double", 5, {8}, {0, 0, 0, 0, 0, 0, 0xE0, 0xBF}, "-0.5"},
    {"old_timestamp", 7, {}, {0x80, 0xBC, 0xBA, 0x38}, "2000-02-28 18:20:48"},
    {"old_timestamp_zero", 7, {}, {0, 0, 0, 0}, "0000-00-00 00:00:00"},
    {"longlong", 8, {}, {1, 0, 0, 0, 0, 0, 0, 0x80}, "-9223372036854775807"},
    {"int24", 9, {}, {0xFF, 0xFF, 0x7F}, "8388607"},
    {"date", 10, {}, {0x75, 0xE4, 0x0F}, "2034-03-21"},
    {"old_time", 11, {}, {0xA7, 0xF5, 0x7F}, "838:59:59"},
    {"old_time_negative", 11, {}, {0xFF, 0xFF, 0xFF}, "-00:00:01"},
    {"old_datetime",
     12,
     {},
     {0x77, 0x87, 0xD1, 0x05, 0xF1, 0x5A, 0x00, 0x00},
     "9999-12-31 23:59:59"},
    {"old_datetime_zero", 12, {}, {0, 0, 0, 0, 0, 0, 0, 0}, "0000-00-00 00:00:00"},
    {"year", 13, {}, {1}, "1901"},
    {"new_date", 14, {}, {0xD5, 0xBE, 0x0F}, "2015-06-21"},
    {"varchar", 15, {9, 0}, {2, 'a', 0xE9}, "aé", kLatin1},
    {"varchar_of_two_length_bytes", 15, {0, 1}, {1, 0, 'a'}, "a", kUtf8},
    {"bit", 16, {1, 1}, {1, 2}, "\1\2"},
    {"bit_64", 16, {0, 8}, {1, 2, 3, 4, 5, 6, 7, 8}, "\1\2\3\4\5\6\7\x08"},
    {"timestamp2", 17, {1}, {0, 0, 0, 1, 50}, "1970-01-01 00:00:01.5"},
    {"datetime2", 18, {0}, {0x80, 0, 0, 0, 0}, "0000-00-00 00:00:00"},
    {"time2", 19, {2}, {0x7F, 0xFF, 0xFF, 0xFF}, "-00:00:00.01"},
    {"vector", 242, {4}, {4, 0, 0, 0, 0, 0, 0x80, 0x3F}, "\0\0\x80\x3F"sv, kBinary},
    {"json", 245, {4}, {2, 0, 0, 0, 4, 1}, "true"},
    {"json_empty", 245, {4}, {0, 0, 0, 0}, "null"},
    {"new_decimal", 246, {3, 1}, {0x80 + 12, 5}, "12.5"},
    {"null", 6, {}, {}, std::nullopt},
    {"typed_array", 20, {15, 1, 2, 3}, {3, 0, 0, 0, 2, 0, 0}, std::nullopt},
    {"enum", 254, {0xF7, 1}, {2}, "b"},
    {"set", 254, {0xF8, 1}, {3}, "a,b"},
    {"enum_by_its_own_number", 247, {0xF7, 2}, {1, 0}, "a"},
    {"set_by_its_own_number", 248, {0xF8, 8}, {2, 0, 0, 0, 0, 0, 0, 0}, "b"},
    // All blobs are logged under 252; of these the log does not tell the character set.
    {"tiny_blob", 249, {1}, {1, 'x'}, std::nullopt},
    {"medium_blob", 250, {3}, {1, 0, 0, 'x'}, std::nullopt},
    {"long_blob", 251, {4}, {1, 0, 0, 0, 'x'}, std::nullopt},
    {"blob", 252, {2}, {2, 0, 0xFF, 0}, "\xFF\0"sv, kBinary},
    {"text", 252, {2}, {1, 0, 0xE9}, "é", kLatin1},
    {"var_string", 253, {0xFD, 9}, {1, 0xE9}, "é", kLatin1},
    {"var_string_wide", 253, {0xCD, 0xFC}, {1, 0, 'a'}, "a", kUtf8},
    {"char", 254, {0xFE, 9}, {1, 0xE9}, "é", kLatin1},
    {"char_wide", 254, {0xCE, 0xFC}, {1, 0, 'a'}, "a", kUtf8},
    {"binary", 254, {0xFE, 3}, {1, 'a'}, "a\0\0"sv, kBinary},
    {"geometry", 255, {4}, {5, 0, 0, 0, 0xE6, 0x10, 0, 0, 1}, "\xE6\x10\0\0\1"sv},
};

// Two columns of the type, then a TINYINT.
TableMapBytes TableOf(const TypeCase& type) {
  TableMapBytes table;
  table.Column(type.type, type.metadata).Column(type.type, type.metadata).Column(kTinyType);
  table.Nullable({0b010}).Optional(1, {0});
  const std::uint8_t real_type = type.metadata.empty() ? type.type : type.metadata[0];
  const Octets members = {2, 1, 'a', 1, 'b', 2, 1, 'a', 1, 'b'};
  if (real_type == 0xF8) table.Optional(5, members).Optional(10, {kUtf8});
  if (real_type == 0xF7) table.Optional(6, members).Optional(10, {kUtf8});
  if (type.collation != 0) table.Optional(2, {type.collation});
  return table;
}

class ColumnTypeTest : public testing::TestWithParam<TypeCase> {
 protected:
  ColumnTypeTest() {
    row_ = {7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 7, 0b010};
    row_.insert(row_.end(), GetParam().stored.begin(), GetParam().stored.end());
    row_.push_back(77);
    auto map = TableMap::Parse(TableOf(GetParam()).bytes());
    EXPECT_TRUE(map) << map.error().message;
    if (map) map_ = std::move(*map);
  }
  // Decodes `wanted` of a row that holds the value, NULL and 77.
  void Decode(const std::vector<std::size_t>& wanted) {
    const auto bound = decoder_.BindTable(map_, wanted);
    ASSERT_TRUE(bound) << bound.error().message;
    ASSERT_TRUE(decoder_.BeginEvent(RowsEventVersion::kV2, row_));
    const auto has_row = decoder_.NextRow();
    ASSERT_TRUE(has_row) << has_row.error().message;
    ASSERT_TRUE(*has_row);
  }

  CharacterSets character_sets_;
  RowDecoder decoder_{character_sets_};
  TableMap map_;
  Octets row_;
};

TEST_P(ColumnTypeTest, IsDecoded) {
  if (!GetParam().text) {
    const std::vector<std::size_t> wanted = {0};
    EXPECT_FALSE(decoder_.BindTable(map_, wanted));
    return;
  }
  Decode({0, 1, 2});
  EXPECT_EQ(decoder_.values()[0], GetParam().text);
  EXPECT_EQ(decoder_.values()[1], std::nullopt);
  EXPECT_EQ(decoder_.values()[2], "77");
}

TEST_P(ColumnTypeTest, IsPassedOverWhereNobodyWantsIt) {
  Decode({2});
  EXPECT_EQ(decoder_.values()[0], "77");
  EXPECT_FALSE(decoder_.NextRow().value());
}

INSTANTIATE_TEST_SUITE_P(Types, ColumnTypeTest, testing::ValuesIn(kTypeCases),
                         [](const auto& type) { return std::string(type.param.name); });

}  // namespace
}  // namespace outboxd::binlog
