#include "binlog/temporal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace outboxd::binlog {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets BigEndian(std::uint64_t value, std::size_t size) {
  Octets bytes(size);
  for (std::size_t i = size; i > 0; --i, value >>= 8)
    bytes[i - 1] = static_cast<std::uint8_t>(value);
  return bytes;
}

std::string Text(const Result<char*>& end, const char* text) {
  return end ? std::string(text, static_cast<const char*>(*end)) : "error: " + end.error().message;
}

std::string Time(const Octets& bytes, std::uint32_t digits) {
  char text[kTemporalTextMax];
  return Text(WriteTime2(bytes, digits, text), text);
}

std::string Datetime(const Octets& bytes, std::uint32_t digits) {
  char text[kTemporalTextMax];
  return Text(WriteDatetime2(bytes, digits, text), text);
}

std::string Timestamp(const Octets& bytes, std::uint32_t digits) {
  char text[kTemporalTextMax];
  return Text(WriteTimestamp2(bytes, digits, text), text);
}

std::string DateText(const Octets& bytes) {
  char text[kTemporalTextMax];
  return Text(WriteDate(bytes, text), text);
}

bool IsError(const std::string& text) { return text.starts_with("error: "); }

TEST(TemporalTest, NegativeTimesAreOneNumberWithTheirFraction) {
  // The examples of mysys/my_time.cc, my_time_packed_from_binary().
  EXPECT_EQ(Time({0x80, 0x00, 0x00, 0x00}, 2), "00:00:00.00");
  EXPECT_EQ(Time({0x7F, 0xFF, 0xFF, 0xFF}, 2), "-00:00:00.01");
  EXPECT_EQ(Time({0x7F, 0xFF, 0xFF, 0x9D}, 2), "-00:00:00.99");
  EXPECT_EQ(Time({0x7F, 0xFF, 0xFF, 0x00}, 2), "-00:00:01.00");
  EXPECT_EQ(Time({0x7F, 0xFF, 0xFE, 0xFF}, 2), "-00:00:01.01");
  EXPECT_EQ(Time({0x7F, 0xFF, 0xFE, 0xF6}, 2), "-00:00:01.10");
}

TEST(TemporalTest, TimesReach838Hours) {
  EXPECT_EQ(Time(BigEndian(0x800000 + (838U << 12 | 59U << 6 | 59U), 3), 0), "838:59:59");
  EXPECT_EQ(Time(BigEndian(0x800000 - (838U << 12 | 59U << 6 | 59U), 3), 0), "-838:59:59");
  EXPECT_TRUE(IsError(Time(BigEndian(0x800000 + (839U << 12), 3), 0)));
  EXPECT_TRUE(IsError(Time({0x00, 0x00, 0x00}, 0)));
}

TEST(TemporalTest, AnOddFractionTakesTheNextEvenSize) {
  const std::uint64_t second = 0x800001;
  EXPECT_EQ(Time(BigEndian(second << 8 | 50, 4), 1), "00:00:01.5");
  EXPECT_EQ(Time(BigEndian(second << 16 | 1230, 5), 3), "00:00:01.123");
  EXPECT_EQ(Time(BigEndian(second << 24 | 123450, 6), 5), "00:00:01.12345");
  EXPECT_TRUE(IsError(Time(BigEndian(second, 3), 1)));
}

TEST(TemporalTest, AFractionOfMoreThanASecondIsAnError) {
  EXPECT_TRUE(IsError(Time(BigEndian(0x800001ULL << 8 | 100, 4), 2)));
  EXPECT_TRUE(IsError(Timestamp(BigEndian(0x00000001000F4240, 7), 6)));
}

TEST(TemporalTest, ZeroAndPartialDatesAreValues) {
  EXPECT_EQ(DateText({0, 0, 0}), "0000-00-00");
  EXPECT_EQ(DateText({21, 0xBE, 0x0F}), "2015-00-21");
  EXPECT_EQ(Datetime(BigEndian(0x8000000000, 5), 0), "0000-00-00 00:00:00");
}

TEST(TemporalTest, DatesThatNoServerStoresAreErrors) {
  EXPECT_TRUE(IsError(DateText({0xFF, 0xFF, 0xFF})));
  EXPECT_TRUE(IsError(DateText({0, 0})));
  EXPECT_TRUE(IsError(Datetime(BigEndian(0xFFFFFFFFFF, 5), 0)));
  EXPECT_TRUE(IsError(Datetime(BigEndian(0x0000000000, 5), 0)));
  EXPECT_TRUE(IsError(Datetime(BigEndian(0x8000000000 | 24U << 12, 5), 0)));
}

TEST(TemporalTest, TimestampsAreUtcAndZeroIsNoTime) {
  EXPECT_EQ(Timestamp(BigEndian(0, 4), 0), "0000-00-00 00:00:00");
  EXPECT_EQ(Timestamp(BigEndian(0, 6), 3), "0000-00-00 00:00:00.000");
  EXPECT_EQ(Timestamp(BigEndian(1, 4), 0), "1970-01-01 00:00:01");
  EXPECT_EQ(Timestamp(BigEndian(951'782'399, 4), 0), "2000-02-28 23:59:59");
  EXPECT_EQ(Timestamp(BigEndian(951'782'400, 4), 0), "2000-02-29 00:00:00");
  EXPECT_EQ(Timestamp(BigEndian(0x7FFFFFFF, 4), 0), "2038-01-19 03:14:07");
  EXPECT_EQ(Timestamp(BigEndian(0xFFFFFFFF, 4), 0), "2106-02-07 06:28:15");
}

Octets LittleEndian(std::uint64_t value, std::size_t size) {
  Octets bytes = BigEndian(value, size);
  std::ranges::reverse(bytes);
  return bytes;
}

std::string Old(Result<char*> (*write)(Bytes, char*), std::uint64_t stored, std::size_t size) {
  char text[kTemporalTextMax];
  return Text(write(LittleEndian(stored, size), text), text);
}

TEST(TemporalTest, OldTimesAreTheDigitsOfANumber) {
  EXPECT_EQ(Old(&WriteOldTime, 0, 3), "00:00:00");
  EXPECT_EQ(Old(&WriteOldTime, 12'345, 3), "01:23:45");
  EXPECT_EQ(Old(&WriteOldTime, 8'385'959, 3), "838:59:59");
  EXPECT_EQ(Old(&WriteOldTime, 0x1000000 - 8'385'959, 3), "-838:59:59");
  EXPECT_EQ(Old(&WriteOldTime, 0x1000000 - 1, 3), "-00:00:01");
  EXPECT_TRUE(IsError(Old(&WriteOldTime, 60, 3)));
  EXPECT_TRUE(IsError(Old(&WriteOldTime, 6000, 3)));
  EXPECT_TRUE(IsError(Old(&WriteOldTime, 8'390'000 - 1, 3)));
  EXPECT_TRUE(IsError(Old(&WriteOldTime, 0x800000, 3)));
  EXPECT_TRUE(IsError(Old(&WriteOldTime, 0, 4)));
}

TEST(TemporalTest, OldDatetimesAreTheDigitsOfANumber) {
  EXPECT_EQ(Old(&WriteOldDatetime, 0, 8), "0000-00-00 00:00:00");
  EXPECT_EQ(Old(&WriteOldDatetime, 20150700000000, 8), "2015-07-00 00:00:00");
  EXPECT_EQ(Old(&WriteOldDatetime, 10000101010203, 8), "1000-01-01 01:02:03");
  EXPECT_EQ(Old(&WriteOldDatetime, 99991231235959, 8), "9999-12-31 23:59:59");
  EXPECT_TRUE(IsError(Old(&WriteOldDatetime, 99991231235960, 8)));
  EXPECT_TRUE(IsError(Old(&WriteOldDatetime, 20151301000000, 8)));
  EXPECT_TRUE(IsError(Old(&WriteOldDatetime, 20150132000000, 8)));
  EXPECT_TRUE(IsError(Old(&WriteOldDatetime, 20150101240000, 8)));
  EXPECT_TRUE(IsError(Old(&WriteOldDatetime, ~std::uint64_t{0}, 8)));
  EXPECT_TRUE(IsError(Old(&WriteOldDatetime, 0, 5)));
}

TEST(TemporalTest, OldTimestampsAreUtcAndZeroIsNoTime) {
  EXPECT_EQ(Old(&WriteOldTimestamp, 0, 4), "0000-00-00 00:00:00");
  EXPECT_EQ(Old(&WriteOldTimestamp, 951'782'400, 4), "2000-02-29 00:00:00");
  EXPECT_EQ(Old(&WriteOldTimestamp, 0xFFFFFFFF, 4), "2106-02-07 06:28:15");
  EXPECT_TRUE(IsError(Old(&WriteOldTimestamp, 0, 3)));
}

TEST(TemporalTest, YearZeroIsNot1900) {
  char text[kTemporalTextMax];
  EXPECT_EQ(Text(WriteYear(Octets{0}, text), text), "0000");
  EXPECT_EQ(Text(WriteYear(Octets{1}, text), text), "1901");
  EXPECT_EQ(Text(WriteYear(Octets{255}, text), text), "2155");
}

TEST(TemporalTest, EveryWrongSizeIsAnError) {
  char text[kTemporalTextMax];
  for (std::size_t size = 0; size < 12; ++size) {
    const Octets bytes(size, 0x80);
    if (size != 3) {
      EXPECT_FALSE(WriteDate(bytes, text));
    }
    if (size != 1) {
      EXPECT_FALSE(WriteYear(bytes, text));
    }
    for (std::uint32_t digits = 0; digits <= kFractionDigitsMax; ++digits) {
      if (size != 3 + FractionSize(digits)) {
        EXPECT_FALSE(WriteTime2(bytes, digits, text));
      }
      if (size != 5 + FractionSize(digits)) {
        EXPECT_FALSE(WriteDatetime2(bytes, digits, text));
      }
      if (size != 4 + FractionSize(digits)) {
        EXPECT_FALSE(WriteTimestamp2(bytes, digits, text));
      }
    }
  }
}

TEST(TemporalTest, PackedValuesOfJsonThatNoServerStoresAreErrors) {
  char text[kTemporalTextMax];
  EXPECT_FALSE(WritePackedDate(~std::uint64_t{0}, text));
  EXPECT_FALSE(WritePackedDatetime(~std::uint64_t{0}, text));
  EXPECT_FALSE(WritePackedTime(std::uint64_t{1} << 63, text));
  EXPECT_FALSE(WritePackedTime(std::uint64_t{839} << 36, text));
  EXPECT_EQ(Text(WritePackedTime(0 - std::uint64_t{1}, text), text), "-00:00:00.000001");
}

}  // namespace
}  // namespace outboxd::binlog
