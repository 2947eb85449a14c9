#include "base/invariant.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(InvariantDeathTest, ABrokenOneTellsWhatAndWhereAndAborts) {
  const int rows = 3;
  EXPECT_EXIT(OUTBOXD_INVARIANT(rows == 2, "each statement has two"),
              testing::KilledBySignal(SIGABRT),
              "^outboxd: broken invariant: rows == 2: each statement has two "
              "\\(tests/base/invariant_test.cc:[0-9]+\\); this is a fault of outboxd, please report"
              " it\n$");
}

TEST(InvariantTest, OneThatHoldsIsLookedAtOnceAndSaysNothing) {
  int asked = 0;
  testing::internal::CaptureStderr();
  OUTBOXD_INVARIANT(++asked == 1, "it is asked once");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(asked, 1);
}

int NumberOf(bool is_known) {
  if (is_known) return 1;
  OUTBOXD_INVARIANT(false, "all are known");  // Ends the function to the compiler, too.
}

TEST(InvariantDeathTest, IsAlsoTheEndOfWhatIsNeverReached) {
  EXPECT_EQ(NumberOf(true), 1);
  EXPECT_DEATH(NumberOf(false), "broken invariant: false: all are known");
}

}  // namespace
}  // namespace outboxd
