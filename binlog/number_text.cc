#include "binlog/number_text.h"

#include <algorithm>
#include <cmath>

namespace outboxd::binlog {
namespace {

constexpr std::size_t kDigitsMax = 17;
constexpr int kFloatDigits = 6;  // FLT_DIG
constexpr int kPointMax = 15;    // MAX_DECPT_FOR_F_FORMAT, DBL_DIG

// From one to the other, the latter not included, no exponent is used. Whole numbers in between
// have at most 15 digits, which are exact.
constexpr double kPositionalMin = 1e-15;
constexpr double kPositionalEnd = 1e15;

// A number as 0.DIGITS * 10^point, without trailing zeros in `digits`.
struct Digits {
  char digits[kDigitsMax];
  int count = 0;
  int point = 0;
};

// Takes "D.DDDe[+-]XX" apart.
Digits Split(const char* text, const char* end) {
  Digits split;
  while (text < end && *text != 'e') {
    if (*text != '.') split.digits[split.count++] = *text;
    ++text;
  }
  while (split.count > 1 && split.digits[split.count - 1] == '0') --split.count;
  ++text;
  if (*text == '+') ++text;  // std::from_chars takes no plus sign.
  std::from_chars(text, end, split.point);
  ++split.point;
  return split;
}

char* Append(const char* from, int count, char* to) { return std::copy_n(from, count, to); }

char* AppendZeros(int count, char* to) { return std::fill_n(to, count, '0'); }

char* WritePositional(const Digits& number, char* to) {
  if (number.point <= 0) {
    to = Append("0.", 2, to);
    to = AppendZeros(-number.point, to);
    return Append(number.digits, number.count, to);
  }
  const int whole = std::min(number.point, number.count);
  to = Append(number.digits, whole, to);
  to = AppendZeros(number.point - whole, to);
  if (whole == number.count) return to;
  *to++ = '.';
  return Append(number.digits + whole, number.count - whole, to);
}

char* WriteWithExponent(const Digits& number, char* to) {
  *to++ = number.digits[0];
  if (number.count > 1) {
    *to++ = '.';
    to = Append(number.digits + 1, number.count - 1, to);
  }
  *to++ = 'e';
  return WriteInteger(number.point - 1, to);
}

// `number` is not zero.
char* WriteLaidOut(const Digits& number, char* to) {
  const bool positional =
      number.point > -kPointMax && (number.point <= kPointMax || number.count > number.point);
  return positional ? WritePositional(number, to) : WriteWithExponent(number, to);
}

// Most fractions in practice have up to four decimals. If the quotient of two whole numbers that a
// double holds exactly is the number, then their decimal fraction, of at most 15 digits, is the
// only one so short that stands for it.
constexpr double kShortScale = 10'000;
constexpr std::size_t kShortDecimals = 4;
constexpr double kShortEnd = 1e11;

char* WriteWithDecimals(std::uint64_t scaled, char* to) {
  to = WriteInteger(scaled / static_cast<std::uint64_t>(kShortScale), to);
  *to++ = '.';
  const std::uint64_t decimals = scaled % static_cast<std::uint64_t>(kShortScale);
  to = WriteDigits(static_cast<std::uint32_t>(decimals), kShortDecimals, to);
  while (to[-1] == '0') --to;  // Ends at a digit, since the number is not whole.
  return to;
}

// Whether Java's Double.toString() uses one.
bool HasJavaExponent(double value) {
  const double magnitude = std::fabs(value);
  return magnitude != 0 && (magnitude < 1e-3 || magnitude >= 1e7);
}

bool IsShortWhole(double magnitude) {
  return magnitude < kPositionalEnd && magnitude == std::trunc(magnitude);
}

}  // namespace

char* WriteDouble(double value, char* to) {
  if (std::signbit(value)) *to++ = '-';
  const double magnitude = std::fabs(value);
  if (IsShortWhole(magnitude)) return WriteInteger(static_cast<std::uint64_t>(magnitude), to);
  if (magnitude < kShortEnd) {
    const double scaled = std::floor(magnitude * kShortScale + 0.5);
    if (scaled / kShortScale == magnitude) {
      return WriteWithDecimals(static_cast<std::uint64_t>(scaled), to);
    }
  }
  if (magnitude >= kPositionalMin && magnitude < kPositionalEnd) {
    return std::to_chars(to, to + kFloatingTextMax, magnitude, std::chars_format::fixed).ptr;
  }
  char text[kFloatingTextMax];
  const auto end =
      std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific);
  return WriteLaidOut(Split(text, end.ptr), to);
}

char* WriteFloat(float value, char* to) {
  if (std::signbit(value)) *to++ = '-';
  const double magnitude = std::fabs(static_cast<double>(value));
  if (magnitude == 0) return Append("0", 1, to);
  char text[kFloatingTextMax];
  const auto end = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific,
                                 kFloatDigits - 1);
  return WriteLaidOut(Split(text, end.ptr), to);
}

char* WriteJsonDouble(double value, char* to) {
  char* const end = WriteDouble(value, to);
  const bool is_marked = std::any_of(to, end, [](char c) { return c == '.' || c == 'e'; });
  return is_marked ? end : Append(".0", 2, end);
}

char* WritePlainJsonDouble(double value, char* to) {
  if (!HasJavaExponent(value)) return WriteJsonDouble(value, to);
  const double magnitude = std::fabs(value);
  // What of the 53 bits can stand behind the point; together with the digits before it this fits.
  const int fraction = magnitude < 1 ? 1074 : magnitude < 0x1p53 ? 52 : 0;
  char text[kPlainDoubleTextMax];
  char* end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, fraction).ptr;
  if (fraction > 0) {
    while (end[-1] == '0') --end;
    if (end[-1] == '.') --end;
  }
  return std::copy(text, end, to);
}

char* WriteJavaDouble(double value, char* to) {
  if (!HasJavaExponent(value)) return WriteJsonDouble(value, to);
  char text[kFloatingTextMax];
  auto end =
      std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific);
  // Java has two digits at least, and they are the nearest two: 4.9E-324, not 5.0E-324.
  if (text[1] != '.') {
    end =
        std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific, 1);
  }
  const char* const exponent = std::find(text, end.ptr, 'e');
  if (std::signbit(value)) *to++ = '-';
  to = std::copy<const char*>(text, exponent, to);
  *to++ = 'E';
  const Digits number = Split(text, end.ptr);
  return WriteInteger(number.point - 1, to);
}

}  // namespace outboxd::binlog
