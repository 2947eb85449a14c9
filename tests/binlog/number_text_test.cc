#include "binlog/number_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace outboxd::binlog {
namespace {

template <typename Number>
std::string TextOf(char* (*write)(Number, char*), Number value) {
  char text[kFloatingTextMax];
  return {text, write(value, text)};
}

std::string Double(double value) { return TextOf(&WriteDouble, value); }
std::string Float(float value) { return TextOf(&WriteFloat, value); }
std::string JsonDouble(double value) { return TextOf(&WriteJsonDouble, value); }
std::string JavaDouble(double value) { return TextOf(&WriteJavaDouble, value); }

// The expected texts are what SELECT of MySQL 9.7.4 prints.
TEST(NumberTextTest, DoublesHaveTheShortestDigitsThatGiveTheSameNumber) {
  EXPECT_EQ(Double(0.1), "0.1");
  EXPECT_EQ(Double(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(Double(9007199254740993.0), "9.007199254740992e15");
  EXPECT_EQ(Double(std::numeric_limits<double>::max()), "1.7976931348623157e308");
  EXPECT_EQ(Double(std::numeric_limits<double>::denorm_min()), "5e-324");
}

TEST(NumberTextTest, DoublesUseAnExponentFrom1e15AndBelow1eMinus15) {
  EXPECT_EQ(Double(1e14), "100000000000000");
  EXPECT_EQ(Double(999999999999999.0), "999999999999999");
  EXPECT_EQ(Double(1e15), "1e15");
  EXPECT_EQ(Double(1234567890123456.5), "1234567890123456.5");
  EXPECT_EQ(Double(1e-15), "0.000000000000001");
  EXPECT_EQ(Double(9.9e-16), "9.9e-16");
  EXPECT_EQ(Double(-1e100), "-1e100");
}

TEST(NumberTextTest, ZeroKeepsItsSign) {
  EXPECT_EQ(Double(0.0), "0");
  EXPECT_EQ(Double(-0.0), "-0");
  EXPECT_EQ(Float(-0.0F), "-0");
  EXPECT_EQ(JsonDouble(-0.0), "-0.0");
}

TEST(NumberTextTest, FloatsHaveSixDigits) {
  EXPECT_EQ(Float(0.1F), "0.1");
  EXPECT_EQ(Float(16777216.0F), "16777200");
  EXPECT_EQ(Float(3.402823466e38F), "3.40282e38");
  EXPECT_EQ(Float(1.401298464e-45F), "1.4013e-45");
  EXPECT_EQ(Float(999999.5F), "1000000");
  EXPECT_EQ(Float(123456.5F), "123456");
}

TEST(NumberTextTest, JsonNumbersAreMarkedAsNotWhole) {
  EXPECT_EQ(JsonDouble(1.0), "1.0");
  EXPECT_EQ(JsonDouble(-100.0), "-100.0");
  EXPECT_EQ(JsonDouble(1e100), "1e100");
  EXPECT_EQ(JsonDouble(0.5), "0.5");
}

// Expected: Double.toString() of Java 25.
TEST(NumberTextTest, JavasDoublesHaveAnExponentFrom1e7AndBelow1eMinus3) {
  EXPECT_EQ(JavaDouble(0.0), "0.0");
  EXPECT_EQ(JavaDouble(-0.0), "-0.0");
  EXPECT_EQ(JavaDouble(0.001), "0.001");
  EXPECT_EQ(JavaDouble(9999999.999999998), "9999999.999999998");
  EXPECT_EQ(JavaDouble(-10000000), "-1.0E7");
  EXPECT_EQ(JavaDouble(123456789.125), "1.23456789125E8");
  EXPECT_EQ(JavaDouble(0.00099999999999999), "9.9999999999999E-4");
  EXPECT_EQ(JavaDouble(1e23), "1.0E23");
  EXPECT_EQ(JavaDouble(std::numeric_limits<double>::max()), "1.7976931348623157E308");
}

// Expected: Double.toString() of Java 25.
TEST(NumberTextTest, JavasDoublesHaveTheNearestTwoDigitsWhereOneWouldDo) {
  EXPECT_EQ(JavaDouble(std::numeric_limits<double>::denorm_min()), "4.9E-324");
  EXPECT_EQ(JavaDouble(-2e-323), "-2.0E-323");
}

TEST(NumberTextTest, NumbersOfFewDecimalsAreWrittenByTheShortWay) {
  EXPECT_EQ(Double(19.99), "19.99");
  EXPECT_EQ(Double(-0.0001), "-0.0001");
  EXPECT_EQ(Double(99999999999.9999), "99999999999.9999");
  EXPECT_EQ(Double(0.00001), "0.00001");
}

TEST(NumberTextTest, EveryDoubleReadsBackAsItself) {
  std::mt19937_64 random(20260509);
  for (int i = 0; i < 100'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    const double cents = static_cast<double>(random() % 1'000'000'000'000) / 100;
    if (std::isfinite(value)) {
      ASSERT_EQ(std::strtod(Double(value).c_str(), nullptr), value);
    }
    ASSERT_EQ(std::strtod(Double(cents).c_str(), nullptr), cents);
    ASSERT_LE(Double(cents).size(), 16U);
  }
}

TEST(NumberTextTest, DigitsHaveLeadingZeros) {
  char text[9];
  EXPECT_EQ(std::string(text, WriteDigits(7, 4, text)), "0007");
  EXPECT_EQ(std::string(text, WriteDigits(999'999'999, 9, text)), "999999999");
  EXPECT_EQ(std::string(text, WriteTwoDigits(5, text)), "05");
}

}  // namespace
}  // namespace outboxd::binlog
