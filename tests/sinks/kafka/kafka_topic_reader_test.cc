#include "sinks/kafka/kafka_topic_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sinks/kafka/kafka_sink.h"
#include "tests/sinks/kafka/mock_cluster.h"

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;

class KafkaTopicReaderTest : public testing::Test {
 protected:
  KafkaProperties Properties() const {
    return {{"bootstrap.servers", cluster_.bootstrap_servers()}};
  }
  // Puts messages into the topic and waits until they are there.
  void Send(const std::vector<Message>& messages) {
    auto sink = KafkaSink::Create({.properties = Properties()});
    ASSERT_TRUE(sink) << sink.error().message;
    const auto opened = (*sink)->Open(5s);
    ASSERT_TRUE(opened) << opened.error().message;
    DeliveryReports reports;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      while ((*sink)->Publish(messages[i], i) == PublishOutcome::kFull) {
        (*sink)->Poll(100ms, reports);
      }
    }
    while (reports.delivered.size() < messages.size() && !reports.lost) {
      (*sink)->Poll(100ms, reports);
    }
    ASSERT_FALSE(reports.lost);
  }
  // The values that are read, in order; at most `count_max`.
  std::vector<std::string> Values(std::int64_t from, std::size_t count_max = 100) {
    auto reader = KafkaTopicReader::Connect(Properties(), {}, 5s);
    EXPECT_TRUE(reader) << reader.error().message;
    std::vector<std::string> values;
    const auto read = reader->Read(topic_, from, 5s, [&](const StoredMessage& stored) {
      values.emplace_back(stored.message.value.value_or("(null)"));
      return values.size() < count_max;
    });
    EXPECT_TRUE(read) << read.error().message;
    return values;
  }

  MockCluster& cluster_ = MockCluster::Shared();
  const std::string topic_ = cluster_.NewTopic();
};

TEST_F(KafkaTopicReaderTest, ReadsAllPartitionsFromTheBeginningOrAnOffset) {
  EXPECT_TRUE(Values(0).empty());
  Send({{.topic = topic_, .value = "c", .partition = 3},
        {.topic = topic_, .value = "a", .partition = 0},
        {.topic = topic_, .value = "b", .partition = 0}});
  EXPECT_EQ(Values(0), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(Values(1), (std::vector<std::string>{"b"}));
  EXPECT_EQ(Values(0, 1), (std::vector<std::string>{"a"}));
}

TEST_F(KafkaTopicReaderTest, GivesKeyHeadersTimestampAndPlace) {
  const std::array headers{Header{"id", "e1"}, Header{"none", std::nullopt}};
  Send({{.topic = topic_,
         .key = "k",
         .headers = headers,
         .partition = 2,
         .timestamp = std::chrono::milliseconds(1'700'000'000'123)}});
  auto reader = KafkaTopicReader::Connect(Properties(), {}, 5s);
  ASSERT_TRUE(reader) << reader.error().message;
  int count = 0;
  const auto read = reader->Read(topic_, 0, 5s, [&](const StoredMessage& stored) {
    ++count;
    EXPECT_EQ(stored.offset, 0);
    EXPECT_EQ(stored.message.topic, topic_);
    EXPECT_EQ(stored.message.partition, 2);
    EXPECT_EQ(stored.message.key, "k");
    EXPECT_EQ(stored.message.value, std::nullopt);
    EXPECT_EQ(stored.message.timestamp, std::chrono::milliseconds(1'700'000'000'123));
    EXPECT_EQ(stored.message.headers.size(), 2u);
    EXPECT_EQ(stored.message.headers[0].value, "e1");
    EXPECT_EQ(stored.message.headers[1].value, std::nullopt);
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  EXPECT_EQ(count, 1);
}

TEST_F(KafkaTopicReaderTest, TellsAMissingTopicFromOneThatMayNotBeRead) {
  auto reader = KafkaTopicReader::Connect(Properties(), {}, 5s);
  ASSERT_TRUE(reader) << reader.error().message;
  const auto none = [](const StoredMessage&) { return true; };
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  EXPECT_EQ(reader->Read(topic_, 0, 5s, none).error().kind, ErrorKind::kConfiguration);
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  EXPECT_EQ(reader->Read(topic_, 0, 5s, none).error().kind, ErrorKind::kRejected);
}

}  // namespace
}  // namespace outboxd::sinks
