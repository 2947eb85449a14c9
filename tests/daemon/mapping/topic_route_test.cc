#include "daemon/mapping/topic_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;

std::string Route(std::string_view regex, std::string_view replacement, std::string topic) {
  auto route = TopicRoute::Compile(regex, replacement);
  if (!route) return route.error().message;
  if (auto applied = route->Apply(topic); !applied) return "bad: " + applied.error().message;
  return topic;
}

// Expected: what Java's Matcher.matches() and replaceFirst() make of it.
TEST(TopicRouteTest, ReplacesWhereTheWholeTextFits) {
  EXPECT_EQ(Route("(?<routedByValue>.*)", "outbox.event.${routedByValue}", "Order"),
            "outbox.event.Order");
  EXPECT_EQ(Route("([a-z]+)_([a-z]+)", "$2.$1", "eu_order"), "order.eu");
  EXPECT_EQ(Route("([a-z]+)_([a-z]+)", "$2.$1", "eu_order1"), "eu_order1");
  EXPECT_EQ(Route("", "x", "a"), "a");
  EXPECT_EQ(Route("a*", "x", ""), "x");
}

TEST(TopicRouteTest, TheFirstMatchMayBeShorterThanTheText) {
  EXPECT_EQ(Route("a|ab", "x", "ab"), "xb");
}

TEST(TopicRouteTest, ADotMatchesNoLineBreak) { EXPECT_EQ(Route("(.*)", "x.$1", "a\nb"), "a\nb"); }

TEST(TopicRouteTest, GroupsAreNamedOrCountedAsFarAsThereAreAny) {
  EXPECT_EQ(Route("(a)(b)?", "$1$2-$0", "a"), "a-a");
  EXPECT_EQ(Route("(a)", "$10", "a"), "a0");
  EXPECT_EQ(Route("(a)", R"(\$1\\)", "a"), R"($1\)");
  EXPECT_THAT(Route("(a)", "$2", "a"), HasSubstr("'$2' names no group"));
  EXPECT_THAT(Route("(a)", "${b}", "a"), HasSubstr("'${b}' names no group"));
  EXPECT_THAT(Route("(a)", "${b", "a"), HasSubstr("'${b' names no group"));
  EXPECT_THAT(Route("(a)", "$", "a"), HasSubstr("'$' names no group"));
  EXPECT_THAT(Route("(a)", "\\", "a"), HasSubstr("nothing stands behind"));
}

TEST(TopicRouteTest, AnExpressionThatIsNoneIsNamed) {
  EXPECT_THAT(Route("(a", "x", "a"), HasSubstr("'(a' is no regular expression: missing closing"));
}

TEST(TopicRouteTest, OneThatTakesForeverIsABadEvent) {
  EXPECT_THAT(Route("(a|aa)+", "x", std::string(60, 'a') + "!"),
              HasSubstr("cannot be matched: match limit"));
}

TEST(TopicRouteTest, TextThatIsNoUtf8IsABadEvent) {
  EXPECT_THAT(Route(".*", "x", "\xff"), HasSubstr("bad: '\\xff' cannot be matched"));
}

}  // namespace
}  // namespace outboxd
