#pragma once

#include <cstddef>
#include <cstdint>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"

namespace outboxd::binlog {

// Each Write function writes what SELECT prints at `to`, where the caller has room for
// kTemporalTextMax, and returns the text's end. kUndecodable: the bytes are no such value.

inline constexpr std::size_t kTemporalTextMax = 32;  // "9999-12-31 23:59:59.999999" and some.
inline constexpr std::uint32_t kFractionDigitsMax = 6;

// The bytes that hold the fraction of a second: an odd number of digits takes the next even size.
[[nodiscard]] constexpr std::size_t FractionSize(std::uint32_t fraction_digits) {
  return (fraction_digits + 1) / 2;
}

// A column's bytes; `fraction_digits` is at most kFractionDigitsMax. Partial and zero dates
// (2015-00-21, 0000-00-00) are values like others.
// Format: MySQL 9.7 mysys/my_time.cc, my_datetime_packed_from_binary() and its like.
[[nodiscard]] Result<char*> WriteDate(Bytes bytes, char* to);                       // 3 bytes
[[nodiscard]] Result<char*> WriteTime2(Bytes bytes, std::uint32_t fraction_digits,  // 3 + fraction
                                       char* to);
[[nodiscard]] Result<char*> WriteDatetime2(Bytes bytes, std::uint32_t fraction_digits,  // 5 +
                                           char* to);
[[nodiscard]] Result<char*> WriteTimestamp2(Bytes bytes, std::uint32_t fraction_digits,  // 4 +
                                            char* to);                                   // In UTC.
[[nodiscard]] Result<char*> WriteYear(Bytes bytes, char* to);                            // 1 byte

// What columns made before MySQL 5.6 hold, without fractions; the server keeps them until the table
// is rebuilt.
// Format: MySQL 5.7 sql/field.cc, Field_time, Field_datetime and Field_timestamp.
[[nodiscard]] Result<char*> WriteOldTime(Bytes bytes, char* to);       // 3 bytes
[[nodiscard]] Result<char*> WriteOldDatetime(Bytes bytes, char* to);   // 8 bytes
[[nodiscard]] Result<char*> WriteOldTimestamp(Bytes bytes, char* to);  // 4 bytes; in UTC.

// The eight bytes of a temporal value in a JSON document, with six fraction digits.
// Format: MySQL 9.7 sql-common/json_dom.cc, time_from_json_storage() and its like.
[[nodiscard]] Result<char*> WritePackedDate(std::uint64_t packed, char* to);
[[nodiscard]] Result<char*> WritePackedTime(std::uint64_t packed, char* to);
[[nodiscard]] Result<char*> WritePackedDatetime(std::uint64_t packed, char* to);

}  // namespace outboxd::binlog
