#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace outboxd::binlog {

// Each function writes a number's text at `to`, where the caller has room for the stated maximum,
// and returns the text's end.

inline constexpr std::size_t kIntegerTextMax = 20;
inline constexpr std::size_t kFloatingTextMax = 40;  // "-0.", 14 zeros, 17 digits.

inline char* WriteInteger(std::integral auto value, char* to) {
  return std::to_chars(to, to + kIntegerTextMax, value).ptr;
}

inline constexpr auto kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// Exactly two digits; `value` is below 100.
inline char* WriteTwoDigits(std::uint32_t value, char* to) {
  std::memcpy(to, &kDigitPairs[2 * std::size_t{value}], 2);
  return to + 2;
}

// Exactly `width` digits (at most 9), with leading zeros; `value` has no more.
inline char* WriteDigits(std::uint32_t value, std::size_t width, char* to) {
  char* const end = to + width;
  for (char* at = end; at > to; value /= 10) *--at = static_cast<char>('0' + value % 10);
  return end;
}

// What SELECT prints for a DOUBLE column: the shortest digits that give the same number, 'e' from
// 1e15 and below 1e-14 on. `value` is finite.
// Rule: MySQL 9.7 strings/dtoa.cc, my_gcvt(). A column declared DOUBLE(M,D) prints D decimals;
// the log does not tell D, so such a number comes out as that of a plain DOUBLE.
char* WriteDouble(double value, char* to);

// The same for a FLOAT column: six significant digits, which is what SELECT prints, though a
// FLOAT can hold more.
char* WriteFloat(float value, char* to);

// The same for a number in a JSON document: always with ".0" or an exponent.
// Rule: MySQL 9.7 sql-common/json_dom.cc, wrapper_to_string(), J_DOUBLE.
char* WriteJsonDouble(double value, char* to);

// The same as Debezium prints it: with a fraction, and from 10^7 on and below 10^-3 all digits that
// the binary number has, without exponent.
// Rule: mysql-binlog-connector-java 0.41.0, JsonStringFormatter.value(double): Double.toString(),
// and BigDecimal.toPlainString() where that has an exponent.
char* WritePlainJsonDouble(double value, char* to);
inline constexpr std::size_t kPlainDoubleTextMax = 1077;  // "-0." and the 1074 of the least one.

// The same as Java's Double.toString(): with a fraction, "1.0E7" from 10^7 on and below 10^-3.
// Rule: Java 19 and later; earlier ones print more digits than are needed of some numbers.
char* WriteJavaDouble(double value, char* to);

}  // namespace outboxd::binlog
