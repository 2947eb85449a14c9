#include "base/glob.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace outboxd {
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

TEST(PatternsMeetTest, NamesMeetThemselvesAndWhatTheyFit) {
  EXPECT_TRUE(PatternsMeet("outbox", "outbox"));
  EXPECT_FALSE(PatternsMeet("outbox", "outbox2"));
  EXPECT_FALSE(PatternsMeet("outbox", "Outbox"));
  EXPECT_TRUE(PatternsMeet("outbox", "*"));
  EXPECT_TRUE(PatternsMeet("out*", "outbox"));
  EXPECT_FALSE(PatternsMeet("out*", "inbox"));
  EXPECT_TRUE(PatternsMeet("", "*"));
  EXPECT_FALSE(PatternsMeet("", "?"));
}

TEST(PatternsMeetTest, PatternsMeetWhereSomeTextFitsBoth) {
  EXPECT_TRUE(PatternsMeet("tenant_*", "*_outbox"));
  EXPECT_TRUE(PatternsMeet("a*", "*a")) << "a";
  EXPECT_TRUE(PatternsMeet("a*b", "a?b"));
  EXPECT_TRUE(PatternsMeet("ab*", "a*b"));
  EXPECT_FALSE(PatternsMeet("a*b", "a*c"));
  EXPECT_FALSE(PatternsMeet("a*", "b*"));
  EXPECT_FALSE(PatternsMeet("a?", "a"));
  EXPECT_FALSE(PatternsMeet("??", "?"));
  EXPECT_FALSE(PatternsMeet("*aa*", "b?"));
  EXPECT_TRUE(PatternsMeet("**", "*?*"));
}

// Every pair of short patterns, against every short text.
TEST(PatternsMeetTest, AgreesWithFitsPattern) {
  const auto words = [](std::string_view letters, std::size_t length_max) {
    std::vector<std::string> all{""};
    for (std::size_t i = 0; i < all.size() && all[i].size() < length_max; ++i) {
      for (const char c : letters) all.push_back(all[i] + c);
    }
    return all;
  };
  const auto patterns = words("ab*?", 3);
  const auto texts = words("ab", 6);
  for (const std::string& one : patterns) {
    for (const std::string& other : patterns) {
      const bool meet = std::ranges::any_of(texts, [&](const std::string& text) {
        return FitsPattern(text, one) && FitsPattern(text, other);
      });
      EXPECT_EQ(PatternsMeet(one, other), meet) << one << " and " << other;
    }
  }
}

TEST(FitsPatternTest, ManyStarsTakeNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(FitsPattern(std::string(20'000, 'a') + "b", pattern));
}

}  // namespace
}  // namespace outboxd
