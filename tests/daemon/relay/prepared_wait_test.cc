#include "daemon/relay/prepared_wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"

namespace outboxd {
namespace {

using testing::HasSubstr;

constexpr const char* kXid = "X'78',X'',1";
constexpr const char* kOther = "X'79',X'',1";

class PreparedWaitTest : public ::testing::Test {
 protected:
  using Names = std::set<std::string>;

  bool IsOver() const { return !wait_.must_ask() && !wait_.must_confirm(); }

  CapturedLog log_;
  binlog::PreparedTransactions seen_{1000};
  PreparedWait wait_;
};

TEST_F(PreparedWaitTest, IsOverOnceNothingIsPreparedBeforeAndAfterTheHighestKeysAreKnown) {
  ASSERT_TRUE(wait_.must_ask());
  EXPECT_FALSE(wait_.OnAnswer(Names{}));
  ASSERT_TRUE(wait_.must_confirm());
  EXPECT_FALSE(wait_.must_ask());
  wait_.OnBounds();
  ASSERT_TRUE(wait_.must_ask());
  EXPECT_FALSE(wait_.OnAnswer(Names{}));
  EXPECT_TRUE(IsOver());
  EXPECT_TRUE(wait_.may_ask());
  EXPECT_EQ(log_.text(), "");
}

TEST_F(PreparedWaitTest, WhatTheLogHasSeenPreparedIsNotWaitedFor) {
  seen_.Remember(kXid);
  ASSERT_TRUE(wait_.OnAnswer(Names{kXid}));
  EXPECT_FALSE(wait_.OnLog(seen_));
  EXPECT_TRUE(wait_.must_confirm());
}

TEST_F(PreparedWaitTest, WhatTheLogHasNotSeenIsAskedForUntilItIsDecided) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(wait_.must_ask());
    ASSERT_TRUE(wait_.OnAnswer(Names{kXid}));
    EXPECT_TRUE(wait_.OnLog(seen_));
    EXPECT_FALSE(wait_.must_confirm());
  }
  ASSERT_TRUE(wait_.must_ask());
  EXPECT_FALSE(wait_.OnAnswer(Names{}));
  EXPECT_TRUE(wait_.must_confirm());
}

TEST_F(PreparedWaitTest, TellsOnceWhatItWaitsFor) {
  seen_.Remember(kXid);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(wait_.OnAnswer(Names{kXid, kOther, "X'7a',X'',1"}));
    ASSERT_TRUE(wait_.OnLog(seen_));
  }
  EXPECT_THAT(log_.text(), HasSubstr("waits for 2 XA transactions prepared before it began (X'79',"
                                     "X'',1, X'7a',X'',1): rows that they insert"));
  EXPECT_EQ(log_.lines(), 1);
}

TEST_F(PreparedWaitTest, WhatIsListedOnlyAtTheSecondQuestionBeginsBothAgain) {
  ASSERT_FALSE(wait_.OnAnswer(Names{}));
  wait_.OnBounds();
  ASSERT_TRUE(wait_.OnAnswer(Names{kXid}));
  ASSERT_TRUE(wait_.OnLog(seen_));
  ASSERT_FALSE(wait_.OnAnswer(Names{}));
  ASSERT_TRUE(wait_.must_confirm());
  wait_.OnBounds();
  ASSERT_FALSE(wait_.OnAnswer(Names{}));
  EXPECT_TRUE(IsOver());
}

TEST_F(PreparedWaitTest, WhatIsListedAtTheSecondQuestionAndWasSeenEndsTheWait) {
  ASSERT_FALSE(wait_.OnAnswer(Names{}));
  wait_.OnBounds();
  seen_.Remember(kXid);
  ASSERT_TRUE(wait_.OnAnswer(Names{kXid}));
  EXPECT_FALSE(wait_.OnLog(seen_));
  EXPECT_TRUE(IsOver());
}

TEST_F(PreparedWaitTest, AnAccountThatMayNotAskDoesNotWaitAndIsToldTheGrant) {
  EXPECT_FALSE(wait_.may_ask());
  EXPECT_FALSE(wait_.OnAnswer(std::nullopt));
  EXPECT_TRUE(IsOver());
  EXPECT_FALSE(wait_.may_ask());
  EXPECT_THAT(log_.text(), HasSubstr("GRANT XA_RECOVER_ADMIN ON *.* TO the account"));
}

TEST_F(PreparedWaitTest, AnotherServerIsAskedFromTheBeginning) {
  ASSERT_FALSE(wait_.OnAnswer(Names{}));
  wait_.OnBounds();
  ASSERT_FALSE(wait_.OnAnswer(Names{}));
  wait_.BeginAnew();
  ASSERT_TRUE(wait_.must_ask());
  ASSERT_FALSE(wait_.OnAnswer(Names{}));
  EXPECT_TRUE(wait_.must_confirm()) << "and twice";
}

}  // namespace
}  // namespace outboxd
