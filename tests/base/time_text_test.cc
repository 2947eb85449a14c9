#include "base/time_text.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(TimeTextTest, IsTheTimeInUtc) {
  EXPECT_EQ(TimeText(1'760'000'000'999'999), "2025-10-09 08:53:20 UTC");
  EXPECT_EQ(FineTimeText(1'760'000'000'000'123), "2025-10-09 08:53:20.000123 UTC");
  EXPECT_EQ(IsoTimeText(1'760'000'000'045'999), "2025-10-09T08:53:20.045Z");
}

TEST(DurationTextTest, IsShortAndNeverMoreThanItIs) {
  using namespace std::chrono_literals;
  EXPECT_EQ(DurationText(0s), "0 s");
  EXPECT_EQ(DurationText(119s), "119 s");
  EXPECT_EQ(DurationText(120s), "2 min");
  EXPECT_EQ(DurationText(2h - 1s), "119 min");
  EXPECT_EQ(DurationText(2h), "2 h");
  EXPECT_EQ(DurationText(48h - 1s), "47 h");
  EXPECT_EQ(DurationText(720h), "30 days");
}

}  // namespace
}  // namespace outboxd
