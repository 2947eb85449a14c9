#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"

namespace outboxd::binlog {

// Column types as the binary log numbers them (MySQL 9.7 include/field_types.h).
enum class ColumnType : std::uint8_t {
  kDecimal = 0,
  kTiny = 1,
  kShort = 2,
  kLong = 3,
  kFloat = 4,
  kDouble = 5,
  kNull = 6,
  kTimestamp = 7,
  kLongLong = 8,
  kInt24 = 9,
  kDate = 10,
  kTime = 11,
  kDatetime = 12,
  kYear = 13,
  kNewDate = 14,
  kVarchar = 15,
  kBit = 16,
  kTimestamp2 = 17,
  kDatetime2 = 18,
  kTime2 = 19,
  kTypedArray = 20,
  kVector = 242,
  kJson = 245,
  kNewDecimal = 246,
  kEnum = 247,
  kSet = 248,
  kTinyBlob = 249,
  kMediumBlob = 250,
  kLongBlob = 251,
  kBlob = 252,
  kVarString = 253,
  kString = 254,
  kGeometry = 255,
};

[[nodiscard]] constexpr bool IsInteger(ColumnType type) {
  return type == ColumnType::kTiny || type == ColumnType::kShort || type == ColumnType::kInt24 ||
         type == ColumnType::kLong || type == ColumnType::kLongLong;
}

// The type's name as a person knows it: "DECIMAL", "type 99".
[[nodiscard]] std::string NameOf(ColumnType type);

// What the types have in metadata, by type:
//   kVarchar, kVarString, kString  the greatest length in bytes
//   kEnum, kSet                    bytes of the stored number
//   kFloat, kDouble                bytes of the stored number
//   kBlob and its like, kJson, kGeometry, kVector   bytes of the length in front of the value
//   kTime2, kDatetime2, kTimestamp2                 digits of the fraction of a second
//   kNewDecimal                    precision * 256 + scale
//   kBit                           whole bytes * 256 + further bits
//   kTypedArray                    the type of its elements
struct Column {
  ColumnType type =
      ColumnType::kNull;  // The real type: a STRING that is an ENUM or SET stands as such.
  std::uint16_t metadata = 0;
  bool nullable = false;
  bool is_unsigned = false;
  std::uint32_t collation = 0;       // 0: the event does not tell, or the type has none.
  std::string name;                  // Empty: binlog_row_metadata is not FULL.
  std::vector<std::string> members;  // ENUM and SET, in the column's character set; FULL only.
};

// A decoded TABLE_MAP event: how the ROWS events after it are to be read.
struct TableMap {
  std::uint64_t table_id = 0;  // 48 bits. Valid until the end of the statement.
  std::string schema_name;
  std::string table_name;
  std::vector<Column> columns;
  bool has_names = false;
  bool has_signedness = false;  // 5.7 and MariaDB write none.

  // `body`: the event after its header, without checksum. kCorrupt: its parts do not fit together.
  // kUndecodable: a column of a type that this version does not know, whose size nobody can tell.
  // Format: MySQL 9.7 libs/mysql/binlog/event/rows_event.h, Table_map_event, and
  // sql/rpl_utility.cc, read_field_metadata().
  [[nodiscard]] static Result<TableMap> Parse(Bytes body);
};

// The part of a TABLE_MAP that decides whether the rest is of interest. Views into `body`.
struct TableMapName {
  std::uint64_t table_id;
  std::string_view schema_name;
  std::string_view table_name;
};
[[nodiscard]] Result<TableMapName> ParseTableMapName(Bytes body);

}  // namespace outboxd::binlog
