#include "sinks/kafka/kafka_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd::sinks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TopicAdviceTest : public testing::Test {
 protected:
  // What is found, and what mends it, of each warning.
  std::vector<std::string> Advice(std::size_t brokers = 3) {
    std::vector<std::string> told;
    for (const Finding& finding : AdviceOnTopic(properties_, "orders", facts_, brokers)) {
      EXPECT_EQ(finding.level, Finding::Level::kWarning);
      EXPECT_EQ(finding.subject, "topic orders");
      told.push_back(finding.found + " -> " + finding.remedy);
    }
    return told;
  }

  KafkaProperties properties_ = {{"bootstrap.servers", "k:9092"}};
  KafkaTopicFacts facts_ = [] {
    KafkaTopicFacts facts;
    facts.replica_count = 3;
    facts.min_insync_replicas = 2;
    facts.message_bytes_max = 1'048'588;
    return facts;
  }();
};

TEST_F(TopicAdviceTest, ThreeReplicasOfWhichTwoHaveToHaveAMessageAreGood) {
  EXPECT_THAT(Advice(), IsEmpty());
}

TEST_F(TopicAdviceTest, OneReplicaIsAsGoodAsItGetsWithOneBroker) {
  facts_.replica_count = 1;
  facts_.min_insync_replicas = 1;
  EXPECT_THAT(Advice(1), IsEmpty());
  EXPECT_THAT(Advice(2), ElementsAre(HasSubstr("has one replica, and there are 2 brokers")));
  EXPECT_THAT(Advice(2), ElementsAre(HasSubstr("with 2 replicas for each")));
  EXPECT_THAT(Advice(5), ElementsAre(HasSubstr("with 3 replicas for each")));
}

TEST_F(TopicAdviceTest, AMessageThatOneBrokerHasIsNotSafe) {
  facts_.min_insync_replicas = 1;
  EXPECT_THAT(Advice(), ElementsAre("min.insync.replicas is 1, of 3 replicas: a message is"
                                    " acknowledged when one broker has it, and may be lost with"
                                    " that one -> kafka-configs.sh --bootstrap-server k:9092"
                                    " --alter --entity-type topics --entity-name orders"
                                    " --add-config min.insync.replicas=2"));
}

TEST_F(TopicAdviceTest, WhereAllHaveToHaveItOneThatIsAwayStopsEverything) {
  facts_.min_insync_replicas = 3;
  EXPECT_THAT(Advice(), ElementsAre(HasSubstr("while one broker is away nothing is delivered ->")));
  EXPECT_THAT(Advice(), ElementsAre(HasSubstr("--add-config min.insync.replicas=2")));
}

TEST_F(TopicAdviceTest, ALeaderThatLagsLosesAcknowledgedMessages) {
  facts_.elects_unclean = true;
  EXPECT_THAT(Advice(1), ElementsAre(HasSubstr("unclean.leader.election.enable=false")));
}

TEST_F(TopicAdviceTest, ATopicThatTakesLessThanTheRelaySendsWouldHoldIt) {
  facts_.message_bytes_max = 999'999;
  EXPECT_THAT(Advice(), ElementsAre(HasSubstr("max.message.bytes is 999999, and message.max.bytes"
                                              " of the relay lets 1000000 through")));
  facts_.message_bytes_max = 1'000'000;
  EXPECT_THAT(Advice(), IsEmpty());
  properties_.emplace_back("message.max.bytes", "5000000");
  EXPECT_THAT(Advice(), ElementsAre(HasSubstr("--add-config max.message.bytes=5000000")));
}

TEST_F(TopicAdviceTest, WhatMayNotBeSeenIsNotJudged) {
  facts_.min_insync_replicas.reset();
  facts_.message_bytes_max.reset();
  EXPECT_THAT(Advice(), IsEmpty());
}

TEST(SecurityAdviceTest, PlainTextIsForThisMachineOnly) {
  const auto advice = [](const char* servers, const char* protocol) {
    const auto finding =
        AdviceOnSecurity({{"bootstrap.servers", servers}, {"security.protocol", protocol}});
    return finding ? finding->found + " -> " + finding->remedy : "";
  };
  EXPECT_EQ(advice("127.0.0.1:9092, localhost:9093,[::1]:9094", "plaintext"), "");
  EXPECT_THAT(advice("127.0.0.1:9092,kafka:9092", "PLAINTEXT"),
              HasSubstr("plaintext: events cross the network so that others can read them ->"
                        " in [kafka]: security.protocol = SSL,"));
  EXPECT_THAT(advice("kafka:9092", "SASL_PLAINTEXT"),
              HasSubstr("events and the password cross the network"));
  EXPECT_THAT(advice("kafka:9092", "SASL_PLAINTEXT"), HasSubstr("= SASL_SSL"));
  EXPECT_EQ(advice("kafka:9092", "SASL_SSL"), "");
  EXPECT_NE(AdviceOnSecurity({{"bootstrap.servers", "kafka:9092"}}), std::nullopt)
      << "plain text is Kafka's default";
}

}  // namespace
}  // namespace outboxd::sinks
