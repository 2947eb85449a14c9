#include "daemon/checkpoint/dead_letter_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::Pair;

class DeadLetterLogTest : public testing::Test {
 protected:
  static HeldEvent EventAt(const std::string& position) {
    return {.position = position,
            .id = "e1",
            .table = "shop.outbox",
            .topic = "orders",
            .reason = "too large",
            .since_us = 7};
  }

  TemporaryDirectory directory_;
  DeadLetterLog log_{directory_.path()};
};

TEST_F(DeadLetterLogTest, CountsAndKeepsTheLast) {
  EXPECT_EQ(log_.Counted().value(), std::nullopt);
  ASSERT_TRUE(log_.Count(EventAt("u:1:1")));
  ASSERT_TRUE(log_.Count(EventAt("u:2:1")));
  const auto counted = log_.Counted().value();
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->count, 2u);
  EXPECT_EQ(counted->last.position, "u:2:1");
  EXPECT_EQ(counted->last.reason, "too large");
}

TEST_F(DeadLetterLogTest, OneThatIsSentAgainCountsOnce) {
  ASSERT_TRUE(log_.Count(EventAt("u:1:1")));
  ASSERT_TRUE(log_.Count(EventAt("u:1:1")));
  EXPECT_EQ(log_.Counted().value()->count, 1u);
}

TEST_F(DeadLetterLogTest, ACountThatOutboxdDidNotWriteIsRefused) {
  directory_.Write("dead-letters", "{}");
  ASSERT_FALSE(log_.Counted());
  EXPECT_EQ(log_.Counted().error().kind, ExitCode::kState);
}

TEST_F(DeadLetterLogTest, KnowsWhenEachWasReplayedLastWhateverACrashTore) {
  EXPECT_TRUE(log_.Replayed().value().empty());
  ASSERT_TRUE(log_.RecordReplayed("u:1:1", "e1", "orders", 10));
  directory_.Write("replayed.jsonl", directory_.Read("replayed.jsonl") + "{\"position\":\"u:9");
  ASSERT_TRUE(log_.RecordReplayed("u:2:1", "e2", "orders", 20));
  ASSERT_TRUE(log_.RecordReplayed("u:1:1", "e1", "orders", 30));
  EXPECT_THAT(log_.Replayed().value(), ElementsAre(Pair("u:1:1", 30u), Pair("u:2:1", 20u)));
}

}  // namespace
}  // namespace outboxd
