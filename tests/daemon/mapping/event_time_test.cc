#include "daemon/mapping/event_time.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

long Milliseconds(std::string_view text) {
  const auto time = ParseEventTime(text);
  EXPECT_TRUE(time.has_value()) << text;
  return time && *time ? (*time)->count() : -1;
}

TEST(EventTimeTest, TakesDatesWithTimeAsUtc) {
  EXPECT_EQ(Milliseconds("1970-01-01 00:00:00"), 0);
  EXPECT_EQ(Milliseconds("2024-02-29 23:59:59"), 1709251199000);
  EXPECT_EQ(Milliseconds("9999-12-31 23:59:59"), 253402300799000);
}

TEST(EventTimeTest, CutsFractionsToMilliseconds) {
  EXPECT_EQ(Milliseconds("2001-09-09 01:46:40.5"), 1000000000500);
  EXPECT_EQ(Milliseconds("2001-09-09 01:46:40.123"), 1000000000123);
  EXPECT_EQ(Milliseconds("2001-09-09 01:46:40.123999"), 1000000000123);
}

TEST(EventTimeTest, TakesMillisecondsSince1970) {
  EXPECT_EQ(Milliseconds("0"), 0);
  EXPECT_EQ(Milliseconds("1709251199123"), 1709251199123);
}

TEST(EventTimeTest, TheZeroDateIsNoTime) {
  const auto time = ParseEventTime("0000-00-00 00:00:00.000000");
  ASSERT_TRUE(time.has_value());
  EXPECT_FALSE(time->has_value());
}

TEST(EventTimeTest, RefusesWhatIsNoTime) {
  for (const std::string_view text : {"",
                                      "-1",
                                      "-2147483648",
                                      "1.5",
                                      "1e3",
                                      "2024-02-30 00:00:00",
                                      "2024-13-01 00:00:00",
                                      "2024-00-10 00:00:00",
                                      "2024-01-00 00:00:00",
                                      "2024-01-01 24:00:00",
                                      "2024-01-01 00:60:00",
                                      "2024-01-01 00:00:60",
                                      "2024-01-01",
                                      "2024-01-01 00:00:00.",
                                      "2024-01-01 00:00:00.1234567",
                                      "2024-01-01 00:00:00Z",
                                      "2024-01-01T00:00:00",
                                      "1969-12-31 23:59:59",
                                      "9223372036854775808",
                                      "2024-+1-01 00:00:00"}) {
    const auto time = ParseEventTime(text);
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().kind, ExitCode::kUndecodable);
  }
}

}  // namespace
}  // namespace outboxd
