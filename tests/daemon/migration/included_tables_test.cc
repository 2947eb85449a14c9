#include "daemon/migration/included_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Patterns(const std::vector<std::string>& regexes) {
  const IncludedTables tables = ReadIncludedTables(regexes);
  EXPECT_THAT(tables.untold, IsEmpty());
  return tables.patterns;
}

TEST(IncludedTablesTest, ANameIsAPatternOfItself) {
  EXPECT_THAT(Patterns({"shop.outbox", "shop\\.events\\-2", "a\\$b.c\\_d"}),
              ElementsAre("shop.outbox", "shop.events-2", "a$b.c_d"));
}

TEST(IncludedTablesTest, AnyCharactersAreAStar) {
  EXPECT_THAT(Patterns({"tenant_.*\\.outbox", "shop\\..*"}),
              ElementsAre("tenant_*.outbox", "shop.*"));
}

TEST(IncludedTablesTest, ATableThatIsListedTwiceIsNamedOnce) {
  EXPECT_THAT(Patterns({"a\\.outbox", "a.outbox", "b.outbox"}),
              ElementsAre("a.outbox", "b.outbox"));
}

TEST(IncludedTablesTest, AStarCoversWhatStandsBeforeAndBehindIt) {
  EXPECT_THAT(Patterns({"b.outbox", "a.outbox", "a\\..*", "a.events"}),
              ElementsAre("b.outbox", "a.*"));
}

TEST(IncludedTablesTest, WhatNoPatternTellsIsKeptAsItIs) {
  const std::vector<std::string> untold = {"shop\\.(outbox|events)",
                                           "shop.out+",
                                           "shop.[ab]",
                                           "^shop.outbox$",
                                           "shop\\d.outbox",
                                           "shop.out\\",
                                           "outbox",
                                           "a.b.c",
                                           ".*"};
  const IncludedTables tables = ReadIncludedTables(untold);
  EXPECT_EQ(tables.untold, untold);
  EXPECT_THAT(tables.patterns, IsEmpty());
}

}  // namespace
}  // namespace outboxd
