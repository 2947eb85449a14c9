#include "daemon/preparation/sink_readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace outboxd {
namespace {

using testing::HasSubstr;

// Finds what the test wants, and remembers what it was asked.
class FixedProbe final : public sinks::SinkProbe {
 public:
  sinks::SinkFacts Look(std::span<const sinks::TopicUse> topics) override {
    asked.assign(topics.begin(), topics.end());
    return facts;
  }
  sinks::Result<std::vector<std::string>> Topics() override { return std::vector<std::string>{}; }
  sinks::Result<std::optional<sinks::AgeLimit>> FindAgeLimit(const std::string&) override {
    return std::nullopt;
  }

  sinks::SinkFacts facts{.identity = "c1", .findings = {}};
  std::vector<sinks::TopicUse> asked;
};

class SinkReadinessTest : public testing::Test {
 protected:
  std::vector<Finding> Check(const std::optional<Checkpoint>& checkpoint = std::nullopt) {
    return CheckSinkBy(probe_, config_, checkpoint);
  }
  static Checkpoint CheckpointFor(const std::string& identity) {
    Checkpoint checkpoint;
    checkpoint.sink = identity;
    return checkpoint;
  }

  Config config_;
  FixedProbe probe_;
};

TEST_F(SinkReadinessTest, AsksForEveryTopicThatTheConfigurationNames) {
  config_.outboxes.resize(2);
  config_.outboxes[0].topic = "orders";
  config_.outboxes[1].topic = "t.{kind}";
  config_.delivery.dead_letter_topic = "dead";
  (void)Check();
  ASSERT_EQ(probe_.asked.size(), 3u);
  EXPECT_FALSE(probe_.asked[0].depends_on_row);
  EXPECT_TRUE(probe_.asked[1].depends_on_row);
  EXPECT_EQ(probe_.asked[2].topic, "dead");
  EXPECT_TRUE(probe_.asked[2].is_for_dead_letters);
}

TEST_F(SinkReadinessTest, RowsThatMakeTopicsOfAnyNameAreTold) {
  config_.outboxes.resize(1);
  config_.outboxes[0].topic = "t.{kind}";
  EXPECT_TRUE(Check().empty()) << "no topic is created";
  config_.sink.settings = {{"topics", "create", "yes"}};
  ASSERT_EQ(Check().size(), 1u);
  EXPECT_EQ(Check()[0].level, Finding::Level::kWarning);
  EXPECT_THAT(Check()[0].remedy, HasSubstr("in [topics]: allow = "));
  config_.topics.allow = {"t.*"};
  EXPECT_TRUE(Check().empty());
  config_.topics.allow.clear();
  config_.outboxes[0].topic = "orders";
  EXPECT_TRUE(Check().empty()) << "no row has a say";
}

TEST_F(SinkReadinessTest, AProblemHasTheExitCodeThatARunWouldEndWith) {
  using Level = sinks::Finding::Level;
  probe_.facts.findings = {{Level::kOk, "kafka", "well", "", {}},
                           {Level::kWarning, "kafka", "hm", "mend it", {}},
                           {Level::kProblem, "topic a", "no", "", sinks::ErrorKind::kDenied}};
  const auto findings = Check();
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[0].exit_code, ExitCode::kOk);
  EXPECT_EQ(findings[1].exit_code, ExitCode::kOk);
  EXPECT_EQ(findings[1].remedy, "mend it");
  EXPECT_EQ(findings[2].exit_code, ExitCode::kDenied);
}

TEST_F(SinkReadinessTest, ACheckpointForAnotherReceiverIsAProblem) {
  EXPECT_TRUE(Check(CheckpointFor("c1")).empty());
  EXPECT_TRUE(Check(CheckpointFor("")).empty());
  const auto findings = Check(CheckpointFor("c0"));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].exit_code, ExitCode::kCheckpoint);
  EXPECT_EQ(findings[0].found,
            "the checkpoint is for Kafka cluster c0, but kafka.bootstrap.servers leads to c1");
  EXPECT_THAT(findings[0].remedy, HasSubstr("outboxd position set keep"));
}

TEST_F(SinkReadinessTest, WhatWasNotReachedIsNoOtherReceiver) {
  probe_.facts.identity.reset();
  EXPECT_TRUE(Check(CheckpointFor("c0")).empty());
}

TEST_F(SinkReadinessTest, SettingsThatAreRefusedAreFoundBeforeAnythingIsAsked) {
  config_.sink.settings = {{"kafka", "bootstrap.servers", "k:9092"}, {"kafka", "acks", "0"}};
  const auto findings = CheckSink(config_, std::nullopt);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].subject, "kafka");
  EXPECT_EQ(findings[0].exit_code, ExitCode::kConfiguration);
}

TEST_F(SinkReadinessTest, AnotherFamilyThanTheCheckpointsIsAProblem) {
  config_.sink.family = FindSinkFamily("stdout");
  const auto findings = CheckSink(config_, CheckpointFor("c0"));
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].exit_code, ExitCode::kCheckpoint);
  EXPECT_EQ(
      findings[1].found,
      "the checkpoint is for a sink with the identity c0, but messages now go to standard output"
      " as one JSON object a line");
}

TEST_F(SinkReadinessTest, StandardOutputIsReady) {
  config_.sink.family = FindSinkFamily("stdout");
  const auto findings = CheckSink(config_, std::nullopt);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kOk);
}

}  // namespace
}  // namespace outboxd
