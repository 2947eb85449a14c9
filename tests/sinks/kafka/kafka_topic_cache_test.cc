#include "sinks/kafka/kafka_topic_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "tests/sinks/kafka/mock_cluster.h"

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;
using Topic = TopicCache::Topic;

class KafkaTopicCacheTest : public testing::Test {
 protected:
  ~KafkaTopicCacheTest() override { cluster_.Restore(); }

  Topic* Find(const std::string& name) {
    const auto found = cache_.Find(name, now_);
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(nullptr);
  }
  // -1: none.
  std::int32_t Partition(const Message& message, Topic& topic, DeliveryId id = 1) {
    return cache_.ChoosePartition(message, id, topic).value_or(-1);
  }
  Error NotFound(const std::string& name) {
    const auto found = cache_.Find(name, now_);
    EXPECT_FALSE(found);
    return found ? Error{} : found.error();
  }

  MockCluster& cluster_ = MockCluster::Shared();
  const std::string name_ = cluster_.NewTopic();
  KafkaSinkOptions options_{
      .properties = {{"bootstrap.servers", cluster_.bootstrap_servers()}},
      .may_publish = [](std::string_view topic) { return topic != "payroll"; }};
  const ClientHandle client_ = cluster_.NewProducer();
  TopicCache cache_{client_.get(), options_};
  TopicCache::Clock::time_point now_ = TopicCache::Clock::now();
};

TEST_F(KafkaTopicCacheTest, FindsATopicWithItsPartitions) {
  const Topic* const topic = Find(name_);
  ASSERT_NE(topic, nullptr);
  EXPECT_EQ(topic->partitions.size(), std::size_t{MockCluster::kPartitionCount});
  EXPECT_EQ(rd_kafka_topic_name(topic->handle.get()), name_);
}

TEST_F(KafkaTopicCacheTest, WhatItKnowsItAsksAboutEveryFiveMinutes) {
  Find(name_);
  cluster_.SetTopicError(name_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  now_ += 5min;
  EXPECT_NE(Find(name_), nullptr);
  now_ += 1ms;
  EXPECT_EQ(NotFound(name_).kind, ErrorKind::kRejected);
  cluster_.SetTopicError(name_, RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_NE(Find(name_), nullptr);
}

TEST_F(KafkaTopicCacheTest, WhatItKnowsWillDoWhileTheClusterIsSilent) {
  Topic* const topic = Find(name_);
  ASSERT_NE(topic, nullptr);
  options_.topic_timeout = 50ms;
  cluster_.SetDown();
  now_ += 6min;
  EXPECT_EQ(Find(name_), topic);
  TopicCache::LookUpAgain(*topic);
  EXPECT_EQ(NotFound(name_).kind, ErrorKind::kUnreachable);
}

TEST_F(KafkaTopicCacheTest, CannotTellAboutANewTopicWhileTheClusterIsSilent) {
  options_.topic_timeout = 50ms;
  cluster_.SetDown();
  EXPECT_EQ(NotFound("unseen").kind, ErrorKind::kUnreachable);
}

TEST_F(KafkaTopicCacheTest, RejectsAMissingTopicWithTheCommandThatMakesIt) {
  cluster_.SetTopicError(name_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  options_.topic_partitions = 6;
  options_.topic_replication = 2;
  const Error error = NotFound(name_);
  EXPECT_EQ(error.kind, ErrorKind::kRejected);
  EXPECT_EQ(error.hint, "kafka-topics.sh --bootstrap-server " + cluster_.bootstrap_servers() +
                            " --create --topic " + name_ + " --partitions 6 --replication-factor 1")
      << "there is one broker";
}

TEST_F(KafkaTopicCacheTest, FindsATopicOnceItAppears) {
  cluster_.SetTopicError(name_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  EXPECT_EQ(NotFound(name_).kind, ErrorKind::kRejected);
  EXPECT_EQ(NotFound(name_).kind, ErrorKind::kRejected);
  cluster_.SetTopicError(name_, RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_NE(Find(name_), nullptr);
}

TEST_F(KafkaTopicCacheTest, RejectsATopicThatMayNotBeSeen) {
  cluster_.SetTopicError(name_, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const Error error = NotFound(name_);
  EXPECT_EQ(error.kind, ErrorKind::kRejected);
  EXPECT_NE(error.hint.find("grant this user"), std::string::npos) << error.message;
}

TEST_F(KafkaTopicCacheTest, RejectsForbiddenAndIllegalTopicsBeforeAskingTheCluster) {
  cluster_.SetDown();
  for (const char* topic : {"payroll", "__consumer_offsets", "a b"}) {
    EXPECT_EQ(NotFound(topic).kind, ErrorKind::kRejected) << topic;
  }
}

// Keys of Java's own test, org.apache.kafka.common.utils.UtilsTest.testMurmur2(), there with these
// hashes; the partition is (hash & 0x7fffffff) % partitions.
TEST_F(KafkaTopicCacheTest, PutsAKeyWhereJavaClientsPutIt) {
  constexpr int kPartitions = 7;
  const std::map<std::string, std::int32_t> hashes = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107}};
  Topic* const topic = Find(cluster_.NewTopic(kPartitions));
  ASSERT_NE(topic, nullptr);
  for (const auto& [key, hash] : hashes) {
    EXPECT_EQ(Partition({.topic = "t", .key = key}, *topic), (hash & 0x7fffffff) % kPartitions)
        << key;
  }
  EXPECT_EQ(Partition({.topic = "t", .key = std::string_view()}, *topic),
            Partition({.topic = "t", .key = ""}, *topic));
}

TEST_F(KafkaTopicCacheTest, SpreadsMessagesWithoutAKeyOverThePartitions) {
  Topic* const topic = Find(name_);
  ASSERT_NE(topic, nullptr);
  std::map<std::int32_t, int> counts;
  for (DeliveryId id = 0; id < 512; ++id) {
    ++counts[Partition({.topic = name_}, *topic, id)];
  }
  EXPECT_EQ(counts, (std::map<std::int32_t, int>{{0, 128}, {1, 128}, {2, 128}, {3, 128}}));
}

TEST_F(KafkaTopicCacheTest, ThePartitionThatAMessageNamesComesBeforeItsKey) {
  Topic* const topic = Find(name_);
  ASSERT_NE(topic, nullptr);
  for (const std::int32_t partition : {0, 3}) {
    EXPECT_EQ(Partition({.topic = name_, .key = "k", .partition = partition}, *topic), partition);
  }
}

TEST_F(KafkaTopicCacheTest, RejectsAPartitionThatDoesNotExist) {
  const std::string name = cluster_.NewTopic(2);
  Topic* const topic = Find(name);
  ASSERT_NE(topic, nullptr);
  for (const std::int32_t partition : {2, -1}) {
    const auto chosen = cache_.ChoosePartition({.topic = name, .partition = partition}, 1, *topic);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().kind, ErrorKind::kRejected);
    EXPECT_NE(chosen.error().message.find("it has 2"), std::string::npos) << chosen.error().message;
    EXPECT_NE(chosen.error().hint.find("--alter --topic " + name), std::string::npos);
  }
}

}  // namespace
}  // namespace outboxd::sinks
