#include "binlog/any_case.h"

#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

TEST(AnyCaseTest, NamesDifferByMoreThanCase) {
  EXPECT_TRUE(EqualInAnyCase("AggregateId", "aggregateid"));
  EXPECT_TRUE(EqualInAnyCase("", ""));
  EXPECT_FALSE(EqualInAnyCase("id", "id2"));
  EXPECT_FALSE(EqualInAnyCase("id", "ix"));
}

// '@' and '[' stand beside the capital letters, '`' and '{' beside the small ones.
TEST(AnyCaseTest, OnlyLettersHaveCase) {
  EXPECT_TRUE(EqualInAnyCase("AZ", "az"));
  EXPECT_FALSE(EqualInAnyCase("@", "`"));
  EXPECT_FALSE(EqualInAnyCase("[", "{"));
}

TEST(AnyCaseTest, LettersBeyondAsciiCountAsTheyAre) {
  EXPECT_FALSE(EqualInAnyCase("É", "é"));
  EXPECT_TRUE(EqualInAnyCase("É", "É"));
}

TEST(AnyCaseTest, FindsAPartWhereverItStands) {
  EXPECT_TRUE(ContainsInAnyCase("ALTER TABLE Outbox", "outbox"));
  EXPECT_TRUE(ContainsInAnyCase("truncate", "TRUNC"));
  EXPECT_TRUE(ContainsInAnyCase("x", ""));
  EXPECT_FALSE(ContainsInAnyCase("out box", "outbox"));
  EXPECT_FALSE(ContainsInAnyCase("", "o"));
}

}  // namespace
}  // namespace outboxd::binlog
