#include "sinks/kafka/kafka_record.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/sinks/kafka/mock_cluster.h"

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;

class KafkaRecordTest : public testing::Test {
 protected:
  ~KafkaRecordTest() override { cluster_.Restore(); }

  // Produces to partition 0, and waits until it is delivered. Returns the id of the report.
  DeliveryId Send(const Message& message, DeliveryId id = 1) {
    EXPECT_FALSE(Produce(client_.get(), topic_.get(), 0, message, id));
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline) {
      const EventHandle event(rd_kafka_queue_poll(events_.get(), 100));
      const rd_kafka_message_t* report = event ? rd_kafka_event_message_next(event.get()) : nullptr;
      if (report == nullptr) continue;
      EXPECT_EQ(report->err, RD_KAFKA_RESP_ERR_NO_ERROR);
      return reinterpret_cast<DeliveryId>(report->_private);
    }
    ADD_FAILURE() << "message " << id << " is not delivered in time";
    return 0;
  }

  std::vector<Record> Stored() { return cluster_.ReadAll(name_, 1); }

  MockCluster& cluster_ = MockCluster::Shared();
  const std::string name_ = cluster_.NewTopic();
  const ClientHandle client_ = cluster_.NewProducer();
  const QueueHandle events_{rd_kafka_queue_get_main(client_.get())};
  const TopicHandle topic_{rd_kafka_topic_new(client_.get(), name_.c_str(), nullptr)};
};

TEST_F(KafkaRecordTest, HoldsWhatTheMessageHolds) {
  const std::array<Header, 3> headers{Header{"id", "42"}, Header{"empty", ""},
                                      Header{"none", std::nullopt}};
  const DeliveryId id = Send({.topic = name_,
                              .key = "k",
                              .value = std::string_view("a\0b", 3),
                              .headers = headers,
                              .timestamp = 1'700'000'000'123ms},
                             ~DeliveryId{0});
  EXPECT_EQ(id, ~DeliveryId{0});
  const std::vector<Record> records = Stored();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].key, "k");
  EXPECT_EQ(records[0].value, std::string("a\0b", 3));
  EXPECT_EQ(records[0].timestamp, 1'700'000'000'123);
  const std::vector<std::pair<std::string, std::optional<std::string>>> expected{
      {"id", "42"}, {"empty", ""}, {"none", std::nullopt}};
  EXPECT_EQ(records[0].headers, expected);
}

TEST_F(KafkaRecordTest, TellsMissingFromEmpty) {
  Send({.topic = name_});
  Send({.topic = name_, .key = "", .value = ""});
  Send({.topic = name_, .key = std::string_view(), .value = std::string_view()});
  const std::vector<Record> records = Stored();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].key, std::nullopt);
  EXPECT_EQ(records[0].value, std::nullopt);
  for (const std::size_t i : {1u, 2u}) {
    EXPECT_EQ(records[i].key, "");
    EXPECT_EQ(records[i].value, "");
  }
}

TEST_F(KafkaRecordTest, TheFirstMillisecondOf1970IsSentRatherThanNow) {
  Send({.topic = name_, .value = "v", .timestamp = 0ms});
  EXPECT_EQ(Stored().at(0).timestamp, 1);
}

TEST(KafkaRecordCheckTest, NoTimeBefore1970IsTaken) {
  EXPECT_TRUE(CheckRecord({.topic = "t"}));
  EXPECT_TRUE(CheckRecord({.topic = "t", .timestamp = 0ms}));
  const auto checked = CheckRecord({.topic = "t", .timestamp = -1ms});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::kRejected);
}

TEST(KafkaRecordCheckTest, AMessageThatIsTooLargeIsRejectedWithItsSize) {
  const std::array<Header, 2> headers{Header{"id", "42"}, Header{"none", std::nullopt}};
  const Error error =
      JudgeProduceError({.topic = "t", .key = "k", .value = "value", .headers = headers},
                        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  EXPECT_EQ(error.kind, ErrorKind::kRejected);
  EXPECT_NE(error.message.find("a message of 14 bytes"), std::string::npos) << error.message;
  EXPECT_NE(error.hint.find("message.max.bytes"), std::string::npos) << error.hint;
}

TEST(KafkaRecordCheckTest, WhatMayPassIsNoFaultOfTheMessage) {
  const Message message{.topic = "t"};
  for (const rd_kafka_resp_err_t code :
       {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION}) {
    EXPECT_EQ(JudgeProduceError(message, code).kind, ErrorKind::kRejected);
  }
  for (const rd_kafka_resp_err_t code :
       {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC}) {
    EXPECT_EQ(JudgeProduceError(message, code).kind, ErrorKind::kUnreachable);
  }
}

}  // namespace
}  // namespace outboxd::sinks
