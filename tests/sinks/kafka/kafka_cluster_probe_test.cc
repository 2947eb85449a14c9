#include "sinks/kafka/kafka_cluster_probe.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace outboxd::sinks {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t kWeek = 7 * 24 * 3600 * 1000;

// What a cluster answers. It outlives the probe.
struct Answers {
  Result<KafkaClusterFacts> cluster = KafkaClusterFacts{
      .cluster_id = "c1", .brokers = {{.id = 1, .address = "k:9092", .answers = true}}};
  std::map<std::string, KafkaTopicFacts> topics;
};

class FixedQuestions final : public KafkaClusterProbe::Questions {
 public:
  explicit FixedQuestions(const Answers& answers) : answers_(answers) {}

  Result<KafkaClusterFacts> Cluster() override { return answers_.cluster; }
  Result<std::vector<std::string>> Topics() override {
    std::vector<std::string> names;
    for (const auto& [name, facts] : answers_.topics) names.push_back(name);
    return names;
  }
  Result<std::optional<KafkaTopicFacts>> Topic(const std::string& name) override {
    const auto topic = answers_.topics.find(name);
    if (topic == answers_.topics.end()) return std::nullopt;
    return topic->second;
  }

 private:
  const Answers& answers_;
};

class KafkaClusterProbeTest : public testing::Test {
 protected:
  KafkaClusterProbeTest() {
    options_.properties = {{"bootstrap.servers", "k:9092"}, {"security.protocol", "SSL"}};
    KafkaTopicFacts& orders = answers_.topics["orders"];
    orders.partition_count = 6;
    orders.replica_count = 3;
    orders.min_insync_replicas = 2;
    orders.message_bytes_max = 1'000'000;
    orders.cleanup_policy = "delete";
    orders.retention_ms = kWeek;
  }

  KafkaClusterProbe Probe() { return {options_, std::make_unique<FixedQuestions>(answers_)}; }

  // "LEVEL SUBJECT: FOUND -> REMEDY" of each finding.
  std::vector<std::string> Look(const std::vector<TopicUse>& topics = {}) {
    static constexpr const char* kLevels[] = {"ok", "warning", "problem"};
    std::vector<std::string> told;
    for (const Finding& finding : Probe().Look(topics).findings) {
      told.push_back(fmt::format("{} {}: {}{}{}", kLevels[static_cast<std::size_t>(finding.level)],
                                 finding.subject, finding.found,
                                 finding.remedy.empty() ? "" : " -> ", finding.remedy));
    }
    return told;
  }

  std::optional<AgeLimit> Limit() { return Probe().FindAgeLimit("orders").value(); }

  KafkaSinkOptions options_;
  Answers answers_;
};

TEST_F(KafkaClusterProbeTest, TellsOfTheClusterAndOfItsTopics) {
  EXPECT_EQ(Probe().Look({}).identity, "c1");
  EXPECT_THAT(Look({{.topic = "orders"}}),
              ElementsAre("ok kafka: cluster c1, 1 broker",
                          "ok topic orders: 6 partitions, 3 replicas, min.insync.replicas 2,"
                          " max.message.bytes 1000000"));
}

TEST_F(KafkaClusterProbeTest, WithoutAnAnswerNothingElseIsAsked) {
  answers_.cluster = Fail(ErrorKind::kUnreachable, "no broker").Hint("start one");
  EXPECT_THAT(Look({{.topic = "orders"}}), ElementsAre("problem kafka: no broker -> start one"));
  const SinkFacts facts = Probe().Look({});
  EXPECT_EQ(facts.identity, std::nullopt);
  EXPECT_EQ(facts.findings[0].kind, ErrorKind::kUnreachable);
}

TEST_F(KafkaClusterProbeTest, WarnsOfABrokerThatCannotBeReachedFromHere) {
  answers_.cluster->brokers.push_back({.id = 2, .address = "inside:9092", .answers = false});
  EXPECT_THAT(Look(), ElementsAre("ok kafka: cluster c1, 2 brokers",
                                  "warning kafka: broker 2 at inside:9092 does not answer from here"
                                  " -> start it, or mend its advertised.listeners"));
}

TEST_F(KafkaClusterProbeTest, ATopicThatIsMissingIsAProblemWithItsCommandOrWillBeCreated) {
  options_.topic_replication = 3;
  EXPECT_THAT(Look({{.topic = "new"}}),
              ElementsAre(testing::_,
                          "problem topic new: does not exist, and topics.create is no ->"
                          " kafka-topics.sh --bootstrap-server k:9092 --create --topic new"
                          " --partitions 3 --replication-factor 1"));
  options_.create_topics = true;
  EXPECT_THAT(Look({{.topic = "new"}}), ElementsAre(testing::_, "ok topic new: will be created"));
}

TEST_F(KafkaClusterProbeTest, ATopicThatDependsOnTheRowIsNotAskedFor) {
  EXPECT_THAT(Look({{.topic = "t.{kind}", .depends_on_row = true}}),
              ElementsAre(testing::_, "ok topics: t.{kind}: known when a row comes"));
}

TEST_F(KafkaClusterProbeTest, WarnsOfACompactedTopicForDeadLettersOnly) {
  answers_.topics["orders"].cleanup_policy = "compact";
  EXPECT_THAT(Look({{.topic = "orders"}}), ElementsAre(testing::_, StartsWith("ok topic orders")));
  EXPECT_THAT(
      Look({{.topic = "orders", .is_for_dead_letters = true}}),
      ElementsAre(testing::_, testing::AllOf(StartsWith("warning topic orders: is compacted"),
                                             HasSubstr("cleanup.policy=delete"))));
}

TEST_F(KafkaClusterProbeTest, ItsInternalTopicsAreNoTopics) {
  answers_.topics["__consumer_offsets"];
  EXPECT_THAT(Probe().Topics().value(), ElementsAre("orders"));
}

TEST_F(KafkaClusterProbeTest, ATopicLosesWhatIsOlderThanItsRetention) {
  const auto limit = Limit();
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->age, milliseconds(kWeek));
  EXPECT_FALSE(limit->is_refused);
  EXPECT_EQ(limit->setting, "retention.ms = 604800000");
  EXPECT_EQ(limit->remedy,
            "kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name"
            " orders --add-config retention.ms=-1");
}

TEST_F(KafkaClusterProbeTest, ATopicMayRefuseWhatIsOlder) {
  answers_.topics["orders"].age_taken_ms_max = 3'600'000;
  const auto limit = Limit();
  ASSERT_TRUE(limit);
  EXPECT_TRUE(limit->is_refused);
  EXPECT_EQ(limit->setting, "message.timestamp.before.max.ms = 3600000");
  EXPECT_THAT(limit->remedy, HasSubstr("message.timestamp.before.max.ms=9223372036854775807"));
}

TEST_F(KafkaClusterProbeTest, TheLowerOfTwoLimitsCounts) {
  answers_.topics["orders"].age_taken_ms_max = kWeek + 1;
  EXPECT_FALSE(Limit()->is_refused);
  answers_.topics["orders"].age_taken_ms_max = kWeek;
  EXPECT_TRUE(Limit()->is_refused);
}

TEST_F(KafkaClusterProbeTest, SomeTopicsKeepMessagesOfAnyAge) {
  answers_.topics["orders"].retention_ms = -1;
  EXPECT_FALSE(Limit());
  answers_.topics["orders"].retention_ms = kWeek;
  answers_.topics["orders"].cleanup_policy = "compact";
  EXPECT_FALSE(Limit());
  answers_.topics["orders"].cleanup_policy = "compact,delete";
  EXPECT_TRUE(Limit());
  answers_.topics["orders"].has_append_time = true;
  EXPECT_FALSE(Limit());
}

TEST_F(KafkaClusterProbeTest, SaysWhyALimitIsNotKnown) {
  EXPECT_EQ(Probe().FindAgeLimit("new").error().message, "topic new does not exist yet");
  answers_.topics["orders"].configuration_error = "not authorised";
  EXPECT_EQ(Probe().FindAgeLimit("orders").error().message, "topic orders: not authorised");
}

}  // namespace
}  // namespace outboxd::sinks
