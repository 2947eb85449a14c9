#include "daemon/relay/back_off.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

using std::chrono::milliseconds;

TEST(BackOffTest, DoublesUpToTheMaximumAndShortensByAtMostHalf) {
  BackOff back_off(milliseconds(100), milliseconds(1000), 1);
  for (const int full : {100, 200, 400, 800, 1000, 1000, 1000}) {
    const auto pause = back_off.Next();
    EXPECT_LE(pause, milliseconds(full));
    EXPECT_GE(pause, milliseconds(full / 2));
  }
}

TEST(BackOffTest, AServerThatDoesNotAnswerIsAskedAtLeastEveryFifteenSeconds) {
  BackOff back_off(1);
  EXPECT_LE(back_off.Next(), milliseconds(100));
  for (int i = 0; i < 50; ++i) EXPECT_LE(back_off.Next(), milliseconds(15'000));
  EXPECT_GE(back_off.Next(), milliseconds(7'500));
}

TEST(BackOffTest, BeginsAnewAfterASuccess) {
  BackOff back_off(milliseconds(100), milliseconds(1000), 1);
  for (int i = 0; i < 50; ++i) (void)back_off.Next();
  back_off.Reset();
  EXPECT_LE(back_off.Next(), milliseconds(100));
}

TEST(BackOffTest, RelaysThatFailTogetherDoNotRetryTogether) {
  BackOff one(milliseconds(100'000), milliseconds(100'000), 1);
  BackOff other(milliseconds(100'000), milliseconds(100'000), 2);
  EXPECT_NE(one.Next(), other.Next());
}

}  // namespace
}  // namespace outboxd
