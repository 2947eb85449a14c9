#include "base/time_text.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(TimeTextTest, IsTheTimeInUtc) {
  EXPECT_EQ(TimeText(1'760'000'000'999'999), "2025-10-09 08:53:20 UTC");
  EXPECT_EQ(FineTimeText(1'760'000'000'000'123), "2025-10-09 08:53:20.000123 UTC");
  EXPECT_EQ(IsoTimeText(1'760'000'000'045'999), "2025-10-09T08:53:20.045Z");
}

}  // namespace
}  // namespace outboxd
