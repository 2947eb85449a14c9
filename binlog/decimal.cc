#include "binlog/decimal.h"

#include <array>

#include "binlog/number_text.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint32_t kGroupDigits = 9;
constexpr std::array<std::uint8_t, 10> kGroupBytes = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
constexpr std::array<std::uint32_t, 10> kPowers = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

std::size_t PartSize(std::uint32_t digits) {
  return digits / kGroupDigits * 4 + kGroupBytes[digits % kGroupDigits];
}

// Writes the digits of one side of the point, in groups of nine, each in four bytes; the group of
// fewer digits stands at the outer end.
class GroupReader {
 public:
  GroupReader(Bytes bytes, bool negative)
      : cursor_(bytes), mask_(negative ? 0xFFFFFFFFU : 0), first_sign_(0x80) {}

  // The next group of `digits` digits.
  std::uint32_t Next(std::uint32_t digits) {
    const std::size_t width = kGroupBytes[digits];
    if (width == 0) return 0;
    auto value = static_cast<std::uint32_t>(cursor_.Big(width)) ^ mask_;
    // The very first bit is stored inverted, so that the bytes sort like the numbers.
    value ^= first_sign_ << (8 * (width - 1));
    first_sign_ = 0;
    if (width < 4) value &= (1U << (8 * width)) - 1;
    valid_ = valid_ && value < kPowers[digits];
    return value;
  }

  [[nodiscard]] bool ok() const { return valid_ && cursor_.ok(); }

 private:
  ByteCursor cursor_;
  std::uint32_t mask_;
  std::uint32_t first_sign_;
  bool valid_ = true;
};

}  // namespace

std::size_t DecimalSize(DecimalShape shape) {
  return PartSize(shape.precision - shape.scale) + PartSize(shape.scale);
}

Result<char*> WriteDecimal(Bytes bytes, DecimalShape shape, char* to) {
  if (!shape.valid() || bytes.size() != DecimalSize(shape)) {
    return Fail(ErrorKind::kUndecodable, "{} bytes are no DECIMAL({},{})", bytes.size(),
                shape.precision, shape.scale);
  }
  const bool negative = (bytes[0] & 0x80) == 0;
  GroupReader groups(bytes, negative);
  if (negative) *to++ = '-';

  std::array<char, kDecimalTextMax> whole;
  const std::uint32_t whole_digits = shape.precision - shape.scale;
  char* whole_end = whole.data();
  if (const std::uint32_t odd = whole_digits % kGroupDigits; odd > 0) {
    whole_end = WriteDigits(groups.Next(odd), odd, whole_end);
  }
  for (std::uint32_t i = 0; i < whole_digits / kGroupDigits; ++i) {
    whole_end = WriteDigits(groups.Next(kGroupDigits), kGroupDigits, whole_end);
  }
  const char* first = whole.data();
  while (first < whole_end && *first == '0') ++first;
  if (first == whole_end) *to++ = '0';
  while (first < whole_end) *to++ = *first++;

  if (shape.scale > 0) *to++ = '.';
  for (std::uint32_t i = 0; i < shape.scale / kGroupDigits; ++i) {
    to = WriteDigits(groups.Next(kGroupDigits), kGroupDigits, to);
  }
  if (const std::uint32_t odd = shape.scale % kGroupDigits; odd > 0) {
    to = WriteDigits(groups.Next(odd), odd, to);
  }
  if (!groups.ok()) {
    return Fail(ErrorKind::kUndecodable, "a DECIMAL({},{}) holds what is no digit", shape.precision,
                shape.scale);
  }
  return to;
}

}  // namespace outboxd::binlog
