#include "base/comma_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::ElementsAre;

TEST(CommaListTest, APartIsWhatStandsBetweenTwoCommas) {
  EXPECT_THAT(SplitAtCommas("a"), ElementsAre("a"));
  EXPECT_THAT(SplitAtCommas("a,bc,d"), ElementsAre("a", "bc", "d"));
}

TEST(CommaListTest, BlanksBelongToTheirPart) {
  EXPECT_THAT(SplitAtCommas(" a, b\t,\nc"), ElementsAre(" a", " b\t", "\nc"));
}

TEST(CommaListTest, AnEmptyPartIsAPart) {
  EXPECT_THAT(SplitAtCommas(""), ElementsAre(""));
  EXPECT_THAT(SplitAtCommas(","), ElementsAre("", ""));
  EXPECT_THAT(SplitAtCommas(",a,,b,"), ElementsAre("", "a", "", "b", ""));
}

}  // namespace
}  // namespace outboxd
