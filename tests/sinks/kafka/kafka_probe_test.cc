#include "sinks/kafka/kafka_probe.h"

#include <gtest/gtest.h>

#include "tests/sinks/kafka/mock_cluster.h"

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;

// The mock knows no DescribeConfigs; what a real cluster says of brokers and topics is the
// integration tests' affair.
class KafkaProbeTest : public testing::Test {
 protected:
  Result<KafkaProbe> Connect() {
    return KafkaProbe::Connect({{"bootstrap.servers", cluster_.bootstrap_servers()}}, {}, 5s);
  }

  MockCluster& cluster_ = MockCluster::Shared();
  const std::string topic_ = cluster_.NewTopic();
};

TEST_F(KafkaProbeTest, CountsPartitionsAndReplicas) {
  const std::string topic = cluster_.NewTopic(3);
  auto probe = Connect();
  ASSERT_TRUE(probe) << probe.error().message;
  const auto facts = probe->Topic(topic, 500ms);
  ASSERT_TRUE(facts) << facts.error().message;
  ASSERT_TRUE(*facts);
  EXPECT_EQ((*facts)->partition_count, 3);
  EXPECT_EQ((*facts)->replica_count, 1);
  EXPECT_EQ((*facts)->leaderless_count, 0);
  EXPECT_FALSE((*facts)->configuration_error.empty());
}

TEST_F(KafkaProbeTest, TellsThatATopicIsMissing) {
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  auto probe = Connect();
  ASSERT_TRUE(probe) << probe.error().message;
  const auto facts = probe->Topic(topic_, 500ms);
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_FALSE(*facts);
}

TEST_F(KafkaProbeTest, TellsThatTheRightToSeeATopicIsMissing) {
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  auto probe = Connect();
  ASSERT_TRUE(probe) << probe.error().message;
  const auto facts = probe->Topic(topic_, 500ms);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().kind, ErrorKind::kRejected);
}

TEST_F(KafkaProbeTest, ListsTheBrokers) {
  auto probe = Connect();
  ASSERT_TRUE(probe) << probe.error().message;
  const auto facts = probe->Cluster(1s);
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_FALSE(facts->cluster_id.empty());
  ASSERT_EQ(facts->brokers.size(), 1u);
  EXPECT_EQ(facts->brokers[0].address, cluster_.bootstrap_servers());
}

}  // namespace
}  // namespace outboxd::sinks
