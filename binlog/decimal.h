#pragma once

#include <cstddef>
#include <cstdint>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"

namespace outboxd::binlog {

// Nine words of nine digits, the most that MySQL computes with (a column has at most 65 digits, a
// number in a JSON document can have more).
inline constexpr std::uint32_t kDecimalPrecisionMax = 81;
inline constexpr std::size_t kDecimalTextMax = kDecimalPrecisionMax + 3;  // "-0." and digits.

// `precision` digits in all, `scale` of them behind the point.
struct DecimalShape {
  std::uint32_t precision;
  std::uint32_t scale;

  [[nodiscard]] bool valid() const {
    return precision > 0 && precision <= kDecimalPrecisionMax && scale <= precision;
  }
};

// The number of bytes that a DECIMAL of this (valid) shape takes.
[[nodiscard]] std::size_t DecimalSize(DecimalShape shape);

// Writes the exact text, as SELECT prints it, with all `scale` digits; returns its end. `to` has
// room for kDecimalTextMax. kUndecodable: not the right number of bytes or no decimal digits.
// Format: MySQL 9.7 mysys/decimal.cc, decimal2bin().
[[nodiscard]] Result<char*> WriteDecimal(Bytes bytes, DecimalShape shape, char* to);

}  // namespace outboxd::binlog
