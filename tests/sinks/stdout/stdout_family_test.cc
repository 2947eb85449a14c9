#include "sinks/stdout/stdout_family.h"

#include <gtest/gtest.h>

namespace outboxd::sinks {
namespace {

constexpr std::chrono::milliseconds kTimeout{1};

TEST(StdoutFamilyTest, TakesAnyTopicAndKeepsMessagesOfAnyAge) {
  const auto probe = StdoutFamily().MakeProbe({}, kTimeout);
  ASSERT_TRUE(probe);
  const SinkFacts facts = (*probe)->Look({});
  EXPECT_EQ(facts.identity, "");
  ASSERT_EQ(facts.findings.size(), 1u);
  EXPECT_EQ(facts.findings[0].level, Finding::Level::kOk);
  EXPECT_TRUE(StdoutFamily().CheckTopicName("__any"));
  const auto limit = (*probe)->FindAgeLimit("any");
  ASSERT_TRUE(limit);
  EXPECT_FALSE(limit->has_value());
}

TEST(StdoutFamilyTest, NothingIsReadBack) {
  const auto reader = StdoutFamily().MakeReader({}, kTimeout);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().kind, ErrorKind::kConfiguration);
}

}  // namespace
}  // namespace outboxd::sinks
