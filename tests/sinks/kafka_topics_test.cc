#include "sinks/kafka_topics.h"

#include <gtest/gtest.h>

#include <string>

namespace outboxd::sinks {
namespace {

bool IsAllowed(std::string_view topic, const std::vector<std::string>& allowed = {},
               const std::vector<std::string>& denied = {}) {
  const auto result = CheckTopicName(topic, allowed, denied);
  EXPECT_TRUE(result || result.error().kind == ErrorKind::kRejected);
  return result.has_value();
}

TEST(KafkaTopicsTest, PatternCoversTheWholeName) {
  EXPECT_TRUE(MatchesPattern("orders", "orders"));
  EXPECT_FALSE(MatchesPattern("orders.2", "orders"));
  EXPECT_FALSE(MatchesPattern("my.orders", "orders"));
}

TEST(KafkaTopicsTest, StarMatchesAnyTextAndQuestionMarkOneCharacter) {
  EXPECT_TRUE(MatchesPattern("outbox.event.order", "outbox.event.*"));
  EXPECT_TRUE(MatchesPattern("outbox.event.", "outbox.event.*"));
  EXPECT_TRUE(MatchesPattern("aXbXbc", "a*bc"));
  EXPECT_TRUE(MatchesPattern("shard7", "shard?"));
  EXPECT_FALSE(MatchesPattern("shard", "shard?"));
  EXPECT_FALSE(MatchesPattern("outboxXevent", "outbox.event*"));
  EXPECT_TRUE(MatchesPattern("", "*"));
}

TEST(KafkaTopicsTest, RefusesNamesThatKafkaDoesNotAllow) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a b"), std::string("a/b"),
        std::string("gr\xC3\xB6\xC3\x9F"), std::string("a\0b", 3), std::string(250, 'x')}) {
    EXPECT_FALSE(IsAllowed(name)) << name;
  }
  EXPECT_TRUE(IsAllowed(std::string(249, 'x')));
  EXPECT_TRUE(IsAllowed("Aa0._-"));
}

TEST(KafkaTopicsTest, IllegalNameIsPrintedWithoutControlCharacters) {
  const auto result = CheckTopicName("a\x1B[2Jb", {}, {});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("'a?[2Jb'"), std::string::npos) << result.error().message;
}

TEST(KafkaTopicsTest, RefusesInternalAndDeniedTopics) {
  EXPECT_FALSE(IsAllowed("__consumer_offsets"));
  EXPECT_TRUE(IsAllowed("_private"));
  EXPECT_FALSE(IsAllowed("outboxd.checkpoints", {"*"}, {"outboxd.checkpoints"}));
}

TEST(KafkaTopicsTest, RefusesTopicsOutsideTheAllowedPatterns) {
  EXPECT_TRUE(IsAllowed("outbox.event.order", {"other", "outbox.event.*"}));
  EXPECT_FALSE(IsAllowed("payroll", {"other", "outbox.event.*"}));
}

}  // namespace
}  // namespace outboxd::sinks
