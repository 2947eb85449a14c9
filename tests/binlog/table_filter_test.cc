#include "binlog/table_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include <vector>

namespace outboxd::binlog {
namespace {

TEST(TableFilterTest, FindsTheFirstSelectionThatMatchesSchemaAndTable) {
  const TableFilter filter({{"shop", "outbox", {}, {}}, {"tenant_*", "outbox", {}, {}}});
  EXPECT_EQ(filter.Match("shop", "outbox"), 0u);
  EXPECT_EQ(filter.Match("tenant_7", "outbox"), 1u);
  EXPECT_FALSE(filter.Match("shop", "orders"));
  EXPECT_FALSE(filter.Match("other", "outbox"));
}

TEST(TableFilterTest, TheFirstSelectionCountsWhetherItIsAPatternOrNot) {
  const TableFilter filter({{"shop", "outbox", {}, {}},
                            {"shop", "*", {}, {}},
                            {"shop", "events", {}, {}},
                            {"*", "outbox", {}, {}},
                            {"app", "outbox", {}, {}},
                            {"shop", "outbox", {}, {}}});
  EXPECT_EQ(filter.Match("shop", "outbox"), 0u);
  EXPECT_EQ(filter.Match("shop", "events"), 1u);
  EXPECT_EQ(filter.Match("app", "outbox"), 3u);
  EXPECT_FALSE(filter.Match("app", "events"));
}

TEST(TableFilterTest, SchemaAndTableAreNotTakenForOneAnother) {
  const TableFilter filter({{"a", "b", {}, {}}, {"ab", "c", {}, {}}, {"same", "same", {}, {}}});
  EXPECT_FALSE(filter.Match("b", "a"));
  EXPECT_FALSE(filter.Match("a", "bc"));
  EXPECT_EQ(filter.Match("ab", "c"), 1u);
  EXPECT_EQ(filter.Match("same", "same"), 2u);
}

TEST(TableFilterTest, FindsEachOfThousandsOfNamedTables) {
  std::vector<TableSelection> selections;
  for (int i = 0; i < 5000; ++i) selections.push_back({std::to_string(i), "outbox", {}, {}});
  const TableFilter filter(std::move(selections));
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): a copy finds them as well.
  const TableFilter copy(filter);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(copy.Match(std::to_string(i), "outbox"), i);
    EXPECT_FALSE(copy.Match(std::to_string(i), "orders"));
  }
}

TEST(TableFilterTest, MatchesTheSchemasOfItsPatterns) {
  const TableFilter filter({{"shop", "outbox", {}, {}}, {"tenant_*", "events", {}, {}}});
  EXPECT_TRUE(filter.MatchesSchema("shop"));
  EXPECT_TRUE(filter.MatchesSchema("tenant_7"));
  EXPECT_FALSE(filter.MatchesSchema("mysql"));
  EXPECT_FALSE(filter.MatchesSchema("Shop")) << "names in the log have the case of the table";
}

TEST(TableFilterTest, AStatementMayNameATableOfTheSchemaItIsIn) {
  const TableFilter filter({{"shop", "outbox", {}, {}}, {"tenant_*", "ev?nt_*_log", {}, {}}});
  EXPECT_TRUE(filter.MayBeNamed("shop", "DROP TABLE `OutBox`"));
  EXPECT_FALSE(filter.MayBeNamed("shop", "DROP TABLE nt_log"));
  EXPECT_FALSE(filter.MayBeNamed("tenant_7", "DROP TABLE outbox"));
  EXPECT_TRUE(filter.MayBeNamed("tenant_7", "DROP TABLE event_5_LOG"));
  EXPECT_TRUE(filter.MayBeNamed("tenant_7", "DROP TABLE x_log")) << "in doubt";
  EXPECT_TRUE(filter.MayBeNamed("DROP TABLE event_5_log"));
  EXPECT_FALSE(filter.MayBeNamed("DROP TABLE orders"));
}

TEST(TableFilterTest, APatternWithoutFixedPartMayBeNamedByAnything) {
  const TableFilter filter({{"shop", "?*", {}, {}}});
  EXPECT_TRUE(filter.MayBeNamed("shop", "DROP TABLE orders"));
  EXPECT_FALSE(filter.MayBeNamed("other", "DROP TABLE orders"));
}

TEST(TableFilterTest, TellsDdlOnTablesFromOther) {
  for (const char* ddl : {"TRUNCATE outbox", "alter Table outbox", "RENAME TABLE a TO b",
                          "/* c */ DROP TABLE outbox", "CREATE TABLE outbox (id INT)"}) {
    EXPECT_TRUE(TableFilter::IsAboutTables(ddl)) << ddl;
  }
  for (const char* ddl : {"CREATE USER outbox", "DROP DATABASE shop", "FLUSH LOGS", ""}) {
    EXPECT_FALSE(TableFilter::IsAboutTables(ddl)) << ddl;
  }
}

TEST(TableFilterTest, TheServersOwnSchemasMatchOnlyByTheirNames) {
  const TableFilter any({{"*", "outbox", {}, {}}});
  EXPECT_TRUE(any.MatchesSchema("shop"));
  EXPECT_FALSE(any.MatchesSchema("mysql"));
  EXPECT_FALSE(any.MatchesSchema("sys"));
  EXPECT_TRUE(TableFilter({{"mysql", "outbox", {}, {}}}).MatchesSchema("mysql"));
}

}  // namespace
}  // namespace outboxd::binlog
