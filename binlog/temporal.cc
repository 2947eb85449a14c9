#include "binlog/temporal.h"

#include <array>

#include "binlog/number_text.h"

namespace outboxd::binlog {
namespace {

// Microseconds of one unit in the stored fraction, by the number of its bytes.
constexpr std::array<std::uint32_t, 4> kFractionUnits = {0, 10'000, 100, 1};
constexpr std::uint32_t kMicrosecondsMax = 999'999;
constexpr std::uint32_t kSecondsOfDay = 86'400;
constexpr std::uint32_t kHoursMax = 838;

struct Date {
  std::uint32_t year, month, day;
  [[nodiscard]] bool valid() const { return year <= 9999 && month <= 12 && day <= 31; }
};

struct Clock {
  std::uint32_t hour, minute, second, microsecond;
  [[nodiscard]] bool valid(std::uint32_t hour_max) const {
    return hour <= hour_max && minute <= 59 && second <= 59 && microsecond <= kMicrosecondsMax;
  }
};

std::uint32_t Bits(std::uint64_t value, unsigned from, unsigned count) {
  return static_cast<std::uint32_t>(value >> from) & ((1U << count) - 1);
}

char* Write(const Date& date, char* to) {
  to = WriteTwoDigits(date.year / 100, to);
  to = WriteTwoDigits(date.year % 100, to);
  *to++ = '-';
  to = WriteTwoDigits(date.month, to);
  *to++ = '-';
  return WriteTwoDigits(date.day, to);
}

char* Write(const Clock& clock, std::uint32_t fraction_digits, char* to) {
  if (clock.hour >= 100) *to++ = static_cast<char>('0' + clock.hour / 100);
  to = WriteTwoDigits(clock.hour % 100, to);
  *to++ = ':';
  to = WriteTwoDigits(clock.minute, to);
  *to++ = ':';
  to = WriteTwoDigits(clock.second, to);
  if (fraction_digits == 0) return to;
  *to++ = '.';
  WriteDigits(clock.microsecond, kFractionDigitsMax, to);
  return to + fraction_digits;
}

Clock UnpackClock(std::uint64_t hms, std::uint32_t microsecond) {
  return {Bits(hms, 12, 12), Bits(hms, 6, 6), Bits(hms, 0, 6), microsecond};
}

Date UnpackDate(std::uint64_t ymd) {
  const auto year_month = static_cast<std::uint32_t>(ymd >> 5);
  return {year_month / 13, year_month % 13, Bits(ymd, 0, 5)};
}

// `days` after 1970-01-01 in the Gregorian calendar, for the years that 32 bits of seconds reach.
Date DateOfDay(std::uint32_t days) {
  // Years begin in March here, so that the leap day is the last one.
  const std::uint32_t since_0000_03 = days + 719'468;
  const std::uint32_t era = since_0000_03 / 146'097;
  const std::uint32_t day_of_era = since_0000_03 % 146'097;
  const std::uint32_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint32_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint32_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

// Second 0 of the epoch is not a time but stands for 0000-00-00 00:00:00.
char* WriteEpoch(std::uint32_t seconds, std::uint32_t microsecond, std::uint32_t fraction_digits,
                 char* to) {
  const std::uint32_t second_of_day = seconds % kSecondsOfDay;
  Date date = DateOfDay(seconds / kSecondsOfDay);
  Clock clock{second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60, microsecond};
  if (seconds == 0) {
    date = {0, 0, 0};
    clock = {0, 0, 0, 0};
  }
  to = Write(date, to);
  *to++ = ' ';
  return Write(clock, fraction_digits, to);
}

Clock ClockOfDigits(std::uint32_t hms) { return {hms / 10'000, hms / 100 % 100, hms % 100, 0}; }

std::unexpected<Error> WrongSize(const char* type, Bytes bytes) {
  return Fail(ErrorKind::kUndecodable, "{} bytes are no {}", bytes.size(), type);
}

std::unexpected<Error> OutOfRange(const char* type, std::uint64_t stored) {
  return Fail(ErrorKind::kUndecodable, "no {} is stored as {:#x}", type, stored);
}

}  // namespace

Result<char*> WriteDate(Bytes bytes, char* to) {
  if (bytes.size() != 3) return WrongSize("DATE", bytes);
  const std::uint64_t stored = LoadLittle<3>(bytes.data());
  const Date date{Bits(stored, 9, 15), Bits(stored, 5, 4), Bits(stored, 0, 5)};
  if (!date.valid()) return OutOfRange("DATE", stored);
  return Write(date, to);
}

Result<char*> WriteTime2(Bytes bytes, std::uint32_t fraction_digits, char* to) {
  const std::size_t fraction_size = FractionSize(fraction_digits);
  if (bytes.size() != 3 + fraction_size) return WrongSize("TIME", bytes);
  // Seconds and fraction are one number above the middle; a negative time is one below it.
  const std::uint64_t stored = LoadBig(bytes);
  const std::uint64_t middle = std::uint64_t{0x800000} << (8 * fraction_size);
  const bool negative = stored < middle;
  const std::uint64_t magnitude = negative ? middle - stored : stored - middle;
  const std::uint64_t fraction = magnitude & ((std::uint64_t{1} << (8 * fraction_size)) - 1);
  const Clock clock =
      UnpackClock(magnitude >> (8 * fraction_size),
                  static_cast<std::uint32_t>(fraction) * kFractionUnits[fraction_size]);
  if (!clock.valid(kHoursMax)) return OutOfRange("TIME", stored);
  if (negative) *to++ = '-';
  return Write(clock, fraction_digits, to);
}

Result<char*> WriteDatetime2(Bytes bytes, std::uint32_t fraction_digits, char* to) {
  const std::size_t fraction_size = FractionSize(fraction_digits);
  if (bytes.size() != 5 + fraction_size) return WrongSize("DATETIME", bytes);
  const std::uint64_t stored = LoadBig<5>(bytes.data());
  const auto fraction = static_cast<std::uint32_t>(LoadBig(bytes.subspan(5)));
  const std::uint64_t packed = stored ^ 0x8000000000;  // A cleared top bit fails the check below.
  const Date date = UnpackDate(packed >> 17);
  const Clock clock = UnpackClock(packed & 0x1FFFF, fraction * kFractionUnits[fraction_size]);
  if (!date.valid() || !clock.valid(23)) return OutOfRange("DATETIME", stored);
  to = Write(date, to);
  *to++ = ' ';
  return Write(clock, fraction_digits, to);
}

Result<char*> WriteTimestamp2(Bytes bytes, std::uint32_t fraction_digits, char* to) {
  const std::size_t fraction_size = FractionSize(fraction_digits);
  if (bytes.size() != 4 + fraction_size) return WrongSize("TIMESTAMP", bytes);
  const auto seconds = static_cast<std::uint32_t>(LoadBig<4>(bytes.data()));
  const auto fraction = static_cast<std::uint32_t>(LoadBig(bytes.subspan(4)));
  const std::uint32_t microsecond = fraction * kFractionUnits[fraction_size];
  if (microsecond > kMicrosecondsMax) return OutOfRange("TIMESTAMP", LoadBig(bytes));
  return WriteEpoch(seconds, microsecond, fraction_digits, to);
}

// The decimal digits of the number are hours, minutes and seconds.
Result<char*> WriteOldTime(Bytes bytes, char* to) {
  if (bytes.size() != 3) return WrongSize("TIME", bytes);
  const auto stored = static_cast<std::uint32_t>(LoadLittle<3>(bytes.data()));
  const bool negative = (stored & 0x800000) != 0;
  const Clock clock = ClockOfDigits(negative ? 0x1000000 - stored : stored);
  if (!clock.valid(kHoursMax)) return OutOfRange("TIME", stored);
  if (negative) *to++ = '-';
  return Write(clock, 0, to);
}

// The same for the date and the time of the day.
Result<char*> WriteOldDatetime(Bytes bytes, char* to) {
  if (bytes.size() != 8) return WrongSize("DATETIME", bytes);
  constexpr std::uint64_t kStoredMax = 99'991'231'235'959;
  const std::uint64_t stored = LoadLittle<8>(bytes.data());
  if (stored > kStoredMax) return OutOfRange("DATETIME", stored);
  const auto ymd = static_cast<std::uint32_t>(stored / 1'000'000);
  const Date date{ymd / 10'000, ymd / 100 % 100, ymd % 100};
  const Clock clock = ClockOfDigits(static_cast<std::uint32_t>(stored % 1'000'000));
  if (!date.valid() || !clock.valid(23)) return OutOfRange("DATETIME", stored);
  to = Write(date, to);
  *to++ = ' ';
  return Write(clock, 0, to);
}

Result<char*> WriteOldTimestamp(Bytes bytes, char* to) {
  if (bytes.size() != 4) return WrongSize("TIMESTAMP", bytes);
  return WriteEpoch(static_cast<std::uint32_t>(LoadLittle<4>(bytes.data())), 0, 0, to);
}

Result<char*> WriteYear(Bytes bytes, char* to) {
  if (bytes.size() != 1) return WrongSize("YEAR", bytes);
  return WriteDigits(bytes[0] == 0 ? 0U : 1900U + bytes[0], 4, to);
}

Result<char*> WritePackedDate(std::uint64_t packed, char* to) {
  const Date date = UnpackDate(packed >> 41);
  if (!date.valid()) return OutOfRange("DATE in JSON", packed);
  return Write(date, to);
}

Result<char*> WritePackedTime(std::uint64_t packed, char* to) {
  const bool negative = (packed >> 63) != 0;
  const std::uint64_t magnitude = negative ? 0 - packed : packed;
  const Clock clock = UnpackClock(magnitude >> 24, Bits(magnitude, 0, 24));
  if (magnitude >> 46 != 0 || !clock.valid(kHoursMax)) return OutOfRange("TIME in JSON", packed);
  if (negative) *to++ = '-';
  return Write(clock, kFractionDigitsMax, to);
}

Result<char*> WritePackedDatetime(std::uint64_t packed, char* to) {
  const Date date = UnpackDate(packed >> 41);
  const Clock clock = UnpackClock(packed >> 24 & 0x1FFFF, Bits(packed, 0, 24));
  if (!date.valid() || !clock.valid(23)) return OutOfRange("DATETIME in JSON", packed);
  to = Write(date, to);
  *to++ = ' ';
  return Write(clock, kFractionDigitsMax, to);
}

}  // namespace outboxd::binlog
