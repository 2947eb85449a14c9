#include "sinks/kafka/kafka_topics.h"

#include <gtest/gtest.h>

#include <string>

namespace outboxd::sinks {
namespace {

bool IsAllowed(std::string_view topic) {
  const auto result = CheckKafkaTopicName(topic);
  EXPECT_TRUE(result || result.error().kind == ErrorKind::kRejected);
  return result.has_value();
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
  const auto result = CheckKafkaTopicName("a\x1B[2Jb");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("'a?[2Jb'"), std::string::npos) << result.error().message;
}

TEST(KafkaTopicsTest, RefusesInternalTopics) {
  EXPECT_FALSE(IsAllowed("__consumer_offsets"));
  EXPECT_TRUE(IsAllowed("_private"));
}

}  // namespace
}  // namespace outboxd::sinks
