#include "daemon/preparation/sink_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SinkSetupTest, WithoutPatternsEventsMayGoToAnyTopic) {
  EXPECT_TRUE(MayPublish({}, "any"));
  EXPECT_TRUE(MayPublish({.allow = {"other", "outbox.*"}}, "outbox.order"));
  EXPECT_FALSE(MayPublish({.allow = {"other", "outbox.*"}}, "payroll"));
}

TEST(SinkSetupTest, TheSinkAsksTheSame) {
  Config config;
  config.topics.allow = {"outbox.*"};
  const sinks::SinkRequest request = SinkRequestOf(config);
  EXPECT_TRUE(request.may_publish("outbox.order"));
  EXPECT_FALSE(request.may_publish("payroll"));
}

TEST(SinkSetupTest, TheTopicOfDeadLettersIsTheRelaysOwnWhereItSendsThem) {
  Config config;
  config.delivery.dead_letter_topic = "dead";
  EXPECT_THAT(SinkRequestOf(config).own_topics, IsEmpty());
  config.delivery.on_bad_event = DeliveryConfig::OnBadEvent::kDeadLetter;
  EXPECT_THAT(SinkRequestOf(config).own_topics, ElementsAre("dead"));
}

TEST(SinkSetupTest, TheRelayMayPublishToItsOwnTopicsWhateverEventsMay) {
  Config config;
  config.topics.allow = {"outbox.*"};
  config.delivery.dead_letter_topic = "dead";
  EXPECT_FALSE(SinkRequestOf(config).may_publish("dead")) << "dead letters are not sent";
  config.delivery.on_bad_event = DeliveryConfig::OnBadEvent::kDeadLetter;
  const sinks::SinkRequest request = SinkRequestOf(config);
  EXPECT_TRUE(request.may_publish("dead"));
  EXPECT_TRUE(request.may_publish("outbox.order"));
  EXPECT_FALSE(request.may_publish("payroll"));
}

TEST(SinkSetupTest, ASettingThatTheSinkRefusesIsAnErrorOfTheConfiguration) {
  Config config;
  config.sink.settings = {{"kafka", "bootstrap.servers", "k:9092"}, {"kafka", "acks", "0"}};
  const auto sink = MakeSink(config);
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(sink.error().ToText(), testing::HasSubstr("acks"));
}

}  // namespace
}  // namespace outboxd
