#include "daemon/relay/reminder.h"

#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using std::chrono::seconds;

class ReminderTest : public testing::Test {
 protected:
  // Asks after so many seconds.
  bool IsDueAfter(int time, bool lasts) {
    clock_.Move(seconds(time));
    return reminder_.IsDue(lasts, clock_.Now());
  }

  FakeClock clock_;
  Reminder reminder_{seconds(60)};
};

TEST_F(ReminderTest, WhatLastsIsDueOnceAnInterval) {
  EXPECT_FALSE(IsDueAfter(0, true));
  EXPECT_FALSE(IsDueAfter(59, true));
  EXPECT_TRUE(IsDueAfter(1, true));
  EXPECT_FALSE(IsDueAfter(59, true));
  EXPECT_TRUE(IsDueAfter(5, true));
}

TEST_F(ReminderTest, WhatIsOverBeginsAnew) {
  EXPECT_FALSE(IsDueAfter(0, true));
  EXPECT_FALSE(IsDueAfter(50, false));
  EXPECT_FALSE(IsDueAfter(1, true));
  EXPECT_FALSE(IsDueAfter(59, true));
  EXPECT_TRUE(IsDueAfter(1, true));
}

TEST_F(ReminderTest, WhereNothingLastsNothingIsDue) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(IsDueAfter(60, false));
}

}  // namespace
}  // namespace outboxd
