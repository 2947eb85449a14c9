#pragma once

#include <cstdint>
#include <string_view>

namespace outboxd::binlog {

// What a DDL statement does to the rows of tables that are there already, as far as the log tells
// nothing of it but the statement. Rising.
enum class DdlEffect : std::uint8_t {
  kNone,
  kAlters,     // Columns or indexes of a table may be others.
  kLosesRows,  // Rows may be gone, or others may be there, under another name too.
};

// `statement`: of a QUERY event, in a character set whose quotes, backslashes and blanks are those
// of ASCII. What stands in quotes or in comments is no keyword, but what stands in "/*! */" is. In
// doubt about backslashes (NO_BACKSLASH_ESCAPES) the graver effect.
[[nodiscard]] DdlEffect EffectOf(std::string_view statement);

// Whether it is DROP DATABASE, which names no tables.
[[nodiscard]] bool DropsSchema(std::string_view statement);

}  // namespace outboxd::binlog
