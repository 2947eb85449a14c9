#include "daemon/mapping/topic_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;

std::string Shape(std::string_view text) {
  const auto topic = ParseTopicTemplate(text);
  if (!topic) return "error: " + topic.error().message;
  std::string shape;
  for (const auto& part : topic->parts) shape += (part.is_column ? "<" : "[") + part.text + "|";
  return shape;
}

TEST(TopicTemplateTest, TakesTextAndColumnsApart) {
  EXPECT_EQ(Shape("orders"), "[orders|");
  EXPECT_EQ(Shape("{a}"), "<a|");
  EXPECT_EQ(Shape("x.{a}{b}.y"), "[x.|<a|<b|[.y|");
}

TEST(TopicTemplateTest, DoubledBracesStandForOne) {
  EXPECT_EQ(Shape("a{{b}}c"), "[a{b}c|");
  EXPECT_EQ(Shape("{{{a}}}"), "[{|<a|[}|");
}

TEST(TopicTemplateTest, NamesThePartThatIsWrong) {
  EXPECT_THAT(Shape("x.{a"), HasSubstr("'{a' lacks a '}'"));
  EXPECT_THAT(Shape("x.{a{b}"), HasSubstr("'{a{b}' lacks a '}'"));
  EXPECT_THAT(Shape("x.{}"), HasSubstr("'{}' names no column"));
  EXPECT_THAT(Shape("x.{a b}"), HasSubstr("'{a b}' names no column"));
  EXPECT_THAT(Shape("x}.y"), HasSubstr("'}.y' has no '{' before it"));
  EXPECT_THAT(Shape(""), HasSubstr("is empty"));
}

}  // namespace
}  // namespace outboxd
