#include "binlog/table_filter.h"

#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

TEST(FitsPatternTest, MatchesLiteralsStarsAndQuestionMarks) {
  EXPECT_TRUE(FitsPattern("outbox", "outbox"));
  EXPECT_FALSE(FitsPattern("outbox2", "outbox"));
  EXPECT_TRUE(FitsPattern("tenant_7", "tenant_*"));
  EXPECT_TRUE(FitsPattern("tenant_", "tenant_*"));
  EXPECT_TRUE(FitsPattern("a_x_b_x_c", "a*_x_c"));
  EXPECT_FALSE(FitsPattern("tenant", "tenant?"));
  EXPECT_TRUE(FitsPattern("", "*"));
  EXPECT_FALSE(FitsPattern("", "?"));
}

TEST(TableFilterTest, FindsTheFirstSelectionThatMatchesSchemaAndTable) {
  const TableFilter filter({{"shop", "outbox", {}, {}}, {"tenant_*", "outbox", {}, {}}});
  EXPECT_EQ(filter.Match("shop", "outbox"), 0u);
  EXPECT_EQ(filter.Match("tenant_7", "outbox"), 1u);
  EXPECT_FALSE(filter.Match("shop", "orders"));
  EXPECT_FALSE(filter.Match("other", "outbox"));
}

}  // namespace
}  // namespace outboxd::binlog
