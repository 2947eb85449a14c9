#include "sinks/kafka/kafka_sink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "tests/sinks/kafka/mock_cluster.h"

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;

constexpr auto kOpenTimeout = 10s;
constexpr auto kPatience = 10s;

class KafkaSinkTest : public testing::Test {
 protected:
  ~KafkaSinkTest() override { cluster_.Restore(); }

  // `properties` come behind bootstrap.servers.
  void Open(KafkaProperties properties = {}, KafkaSinkOptions options = {}) {
    options.properties = std::move(properties);
    options.properties.emplace_back("bootstrap.servers", cluster_.bootstrap_servers());
    auto sink = KafkaSink::Create(std::move(options));
    ASSERT_TRUE(sink) << sink.error().message;
    sink_ = *std::move(sink);
    Reopen();
  }

  void Reopen() {
    const auto identity = sink_->Open(kOpenTimeout);
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_FALSE(identity->identity.empty());
  }

  // Polls while the message has to wait for another.
  void Publish(DeliveryId id, Message message) {
    if (HasFatalFailure()) return;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto outcome = sink_->Publish(message, id);
      ASSERT_TRUE(outcome) << outcome.error().message;
      if (*outcome == PublishOutcome::kAccepted) return;
      sink_->Poll(100ms, seen_);
      ASSERT_FALSE(seen_.lost) << seen_.lost->message;
    }
    FAIL() << "message " << id << " is not taken";
  }

  // To partition 0 of topic_.
  void Publish(DeliveryId id) {
    const std::string value = std::to_string(id);
    Publish(id, {.topic = topic_, .key = "k", .value = value, .partition = 0});
  }

  // Publishes to partition 0 once. None: whether it is taken depends on the other threads.
  void Offer(DeliveryId id, std::optional<PublishOutcome> expected = std::nullopt,
             std::int32_t partition = 0) {
    const auto outcome = sink_->Publish({.topic = topic_, .key = "k", .partition = partition}, id);
    ASSERT_TRUE(outcome) << outcome.error().message;
    if (expected) {
      EXPECT_EQ(*outcome, *expected) << "message " << id;
    }
  }

  Error Refusal(const Message& message) {
    const auto outcome = sink_->Publish(message, 1);
    EXPECT_FALSE(outcome);
    return outcome ? Error{} : outcome.error();
  }

  // Polls until `count` more messages are delivered, or the producer is lost.
  DeliveryReports Await(std::size_t count) {
    DeliveryReports reports = std::exchange(seen_, {});
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (reports.delivered.size() < count && !reports.lost) {
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "no more than " << reports.delivered.size() << " deliveries in time";
        break;
      }
      sink_->Poll(100ms, reports);
    }
    return reports;
  }

  std::vector<std::string> Values(const std::string& topic, int partition_count = 1) {
    std::vector<std::string> values;
    for (const Record& record : cluster_.ReadAll(topic, partition_count)) {
      values.push_back(record.value.value_or("null"));
    }
    return values;
  }

  // One for all tests, since it takes a second to end; each test has a topic of its own.
  MockCluster& cluster_ = MockCluster::Shared();
  const std::string topic_ = cluster_.NewTopic();
  std::unique_ptr<KafkaSink> sink_;
  DeliveryReports seen_;  // While publishing.
};

TEST_F(KafkaSinkTest, DeliversWhatTheMessageHolds) {
  Open();
  const std::array<Header, 3> headers{Header{"id", "42"}, Header{"empty", ""},
                                      Header{"none", std::nullopt}};
  Publish(7, {.topic = topic_,
              .key = "k",
              .value = std::string_view("a\0b", 3),
              .headers = headers,
              .partition = 2,
              .timestamp = 1'700'000'000'123ms});
  EXPECT_EQ(Await(1).delivered, std::vector<DeliveryId>{7});
  const auto records = cluster_.ReadAll(topic_, 4);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].partition, 2);
  EXPECT_EQ(records[0].key, "k");
  EXPECT_EQ(records[0].value, std::string("a\0b", 3));
  EXPECT_EQ(records[0].timestamp, 1'700'000'000'123);
  const std::vector<std::pair<std::string, std::optional<std::string>>> expected{
      {"id", "42"}, {"empty", ""}, {"none", std::nullopt}};
  EXPECT_EQ(records[0].headers, expected);
}

TEST_F(KafkaSinkTest, KeepsTheOrderWithinAPartition) {
  Open();
  std::vector<std::string> expected;
  for (DeliveryId id = 0; id < 5000; ++id) {
    Publish(id);
    expected.push_back(std::to_string(id));
  }
  auto delivered = Await(5000).delivered;
  EXPECT_TRUE(std::ranges::is_sorted(delivered));
  EXPECT_EQ(Values(topic_), expected);
}

TEST_F(KafkaSinkTest, IsFullUntilDeliveriesMakeRoom) {
  Open({{"queue.buffering.max.messages", "10"}, {"reconnect.backoff.max.ms", "100"}});
  Publish(1000);
  Await(1);
  cluster_.SetDown();
  for (DeliveryId id = 0; id < 10; ++id) Publish(id);
  Offer(10, PublishOutcome::kFull);
  std::thread acknowledger([this] { EXPECT_EQ(Await(10).delivered.size(), 10u); });
  cluster_.SetUp();
  sink_->WaitForRoom(kPatience);
  Offer(10, PublishOutcome::kAccepted);
  acknowledger.join();
}

TEST_F(KafkaSinkTest, DeliversAfterTheBrokerCameBack) {
  Open({{"reconnect.backoff.max.ms", "100"}});
  Publish(1);
  Await(1);
  cluster_.SetDown();
  for (DeliveryId id = 2; id < 100; ++id) Publish(id);
  DeliveryReports meanwhile;
  sink_->Poll(50ms, meanwhile);
  EXPECT_TRUE(meanwhile.delivered.empty());
  EXPECT_FALSE(meanwhile.lost);
  cluster_.SetUp();
  EXPECT_EQ(Await(98).delivered.size(), 98u);
  EXPECT_EQ(Values(topic_).size(), 99u);
}

TEST_F(KafkaSinkTest, RetriesWhatTheBrokerRefusesForNow) {
  Open({{"retry.backoff.ms", "10"}});
  cluster_.FailProduceRequests({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
  Publish(1);
  EXPECT_EQ(Await(1).delivered, std::vector<DeliveryId>{1});
}

// Every refusal of a single message: its id is told, the producer is lost, nothing behind it is
// sent, and what is published again through a new producer arrives.
class KafkaSinkRefusalTest : public KafkaSinkTest,
                             public testing::WithParamInterface<rd_kafka_resp_err_t> {};

TEST_P(KafkaSinkRefusalTest, NamesTheMessageAndLetsNothingOvertakeIt) {
  Open({{"batch.num.messages", "1"}, {"linger.ms", "50"}});
  Publish(1);
  Await(1);
  cluster_.RefuseProduceRequest(GetParam());
  Publish(2);
  for (DeliveryId id = 3; id < 6; ++id) Offer(id);
  const DeliveryReports reports = Await(5);
  EXPECT_TRUE(reports.delivered.empty());
  ASSERT_FALSE(reports.failed.empty());
  EXPECT_EQ(reports.failed[0].id, 2u);
  EXPECT_EQ(reports.failed[0].error.kind, ErrorKind::kRejected);
  EXPECT_NE(reports.failed[0].error.message.find(rd_kafka_err2name(GetParam())), std::string::npos);
  ASSERT_TRUE(reports.lost);
  EXPECT_EQ(reports.lost->kind, ErrorKind::kProducerLost);
  EXPECT_EQ(Values(topic_), std::vector<std::string>{"1"});
  cluster_.Restore();
  Reopen();
  Publish(3);
  EXPECT_EQ(Await(1).delivered, std::vector<DeliveryId>{3});
  EXPECT_EQ(Values(topic_), (std::vector<std::string>{"1", "3"}));
}

INSTANTIATE_TEST_SUITE_P(Codes, KafkaSinkRefusalTest,
                         testing::Values(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                         RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                         RD_KAFKA_RESP_ERR_INVALID_RECORD,
                                         RD_KAFKA_RESP_ERR_POLICY_VIOLATION),
                         [](const auto& test) { return rd_kafka_err2name(test.param); });

// As in a topic that was deleted and made again: the mock, too, takes a batch out of sequence.
TEST_F(KafkaSinkTest, WhatIsOnlyInferredFromALaterBatchIsNotDelivered) {
  Open({{"batch.num.messages", "1"}});
  Publish(1);
  Await(1);
  cluster_.SetRoundTrip(200);  // So that both are in flight.
  cluster_.FailProduceRequests({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION});
  Publish(2);
  Offer(3, PublishOutcome::kAccepted);
  const DeliveryReports reports = Await(2);
  EXPECT_EQ(std::ranges::count(reports.delivered, 2U), 0);
  ASSERT_TRUE(reports.lost);
  EXPECT_EQ(reports.lost->kind, ErrorKind::kProducerLost);
  EXPECT_NE(reports.lost->message.find("but not the one before"), std::string::npos)
      << reports.lost->message;
}

TEST_F(KafkaSinkTest, PublishWaitsForTheReportOfALoss) {
  Open({{"max.in.flight", "1"}});
  Publish(1);
  Await(1);
  cluster_.FailProduceRequests({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  Publish(2);
  ASSERT_TRUE(Await(1).lost);
  Offer(3, PublishOutcome::kFull);
  DeliveryReports reports;
  sink_->Poll(0ms, reports);
  EXPECT_FALSE(reports.lost) << "a loss is reported once";
  sink_->WaitForRoom(kPatience);
  EXPECT_EQ(Refusal({.topic = topic_, .partition = 0}).kind, ErrorKind::kProducerLost);
}

// Without it a broker that does not know the producer takes the messages behind a refused one.
TEST_F(KafkaSinkTest, SendsTheFirstMessageToAPartitionAlone) {
  Open();
  cluster_.SetRoundTrip(20);
  Offer(1, PublishOutcome::kAccepted);
  Offer(2, PublishOutcome::kFull);
  Offer(3, PublishOutcome::kAccepted, /*partition=*/1);
  Await(2);
  Offer(2, PublishOutcome::kAccepted);
  Offer(4, PublishOutcome::kAccepted);
}

TEST_F(KafkaSinkTest, AnUnknownErrorLosesTheProducerButBlamesNoMessage) {
  Open();
  cluster_.FailProduceRequests({RD_KAFKA_RESP_ERR_UNKNOWN});
  Publish(1);
  const DeliveryReports reports = Await(1);
  EXPECT_TRUE(reports.failed.empty());
  ASSERT_TRUE(reports.lost);
  EXPECT_NE(reports.lost->message.find("topic " + topic_ + " partition 0"), std::string::npos)
      << reports.lost->message;
}

// Without a message in flight, too.
TEST_F(KafkaSinkTest, IsDeniedWhenTheUserMayNotProduce) {
  cluster_.RefuseProducers(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
  auto sink =
      KafkaSink::Create({.properties = {{"bootstrap.servers", cluster_.bootstrap_servers()}}});
  ASSERT_TRUE(sink);
  sink_ = *std::move(sink);
  const auto identity = sink_->Open(kOpenTimeout);
  const std::optional<Error> error =
      identity ? Await(1).lost : std::optional<Error>(identity.error());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::kDenied);
  EXPECT_NE(error->ToText().find("CLUSTER_AUTHORIZATION_FAILED"), std::string::npos)
      << error->message;
  // Since 2.8 a broker lets whoever may write to some topic produce idempotently: KIP-679.
  EXPECT_NE(error->ToText().find("before Kafka 2.8 also IdempotentWrite"), std::string::npos)
      << error->message;
}

// The broker does not say which of several messages it refuses.
TEST_F(KafkaSinkTest, SendsSmallerBatchesAfterARefusedBatchUntilOneMessageIsLeft) {
  Open({{"linger.ms", "100"}, {"batch.num.messages", "4"}});
  Publish(1000);
  Await(1);
  cluster_.FailProduceRequests({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  for (DeliveryId id = 0; id < 4; ++id) Publish(id);
  const DeliveryReports first = Await(1);
  EXPECT_TRUE(first.failed.empty());
  ASSERT_TRUE(first.lost);
  EXPECT_NE(first.lost->message.find("batch's 4 messages"), std::string::npos)
      << first.lost->message;
  Reopen();
  cluster_.FailProduceRequests({RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  // No more than these: the refusal of the second may come before a third is taken.
  for (DeliveryId id = 0; id < 2; ++id) Publish(id);
  const DeliveryReports second = Await(2);
  ASSERT_EQ(second.failed.size(), 1u) << (second.lost ? second.lost->message : "not lost");
  EXPECT_EQ(second.failed[0].id, 1u);
}

TEST_F(KafkaSinkTest, ReportsNothingOfAnEarlierProducer) {
  Open();
  cluster_.SetRoundTrip(50);
  for (DeliveryId id = 0; id < 100; ++id) Publish(id);
  seen_.Clear();
  Reopen();
  Publish(1000);
  const DeliveryReports reports = Await(1);
  EXPECT_EQ(reports.delivered, std::vector<DeliveryId>{1000});
}

// Those of a relay, as the daemon brings them.
SinkRequest Request(const KafkaProperties& properties) {
  SinkRequest request;
  for (const auto& [name, value] : properties) request.settings.push_back({"kafka", name, value});
  return request;
}

TEST_F(KafkaSinkTest, WhatIsConfiguredCountsFromTheNextOpenOn) {
  sink_ = KafkaSink::Create({.properties = {{"bootstrap.servers", cluster_.bootstrap_servers()}}})
              .value();
  Reopen();
  Publish(1);
  const auto renews = sink_->Configure(Request({{"bootstrap.servers", "127.0.0.1:1"}}));
  ASSERT_TRUE(renews) << renews.error().message;
  EXPECT_TRUE(*renews);
  Publish(2);
  EXPECT_EQ(Await(2).delivered.size(), 2u);
  const auto opened = sink_->Open(100ms);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("127.0.0.1:1"), std::string::npos);
}

TEST_F(KafkaSinkTest, TheSameConfigurationNeedsNoNewProducerUnlessItNamesFiles) {
  const std::string servers = cluster_.bootstrap_servers();
  const KafkaProperties plain{{"bootstrap.servers", servers}};
  const KafkaProperties with_file{{"bootstrap.servers", servers},
                                  {"sasl.password-file", "/proc/version"}};
  sink_ = KafkaSink::Create({.properties = plain}).value();
  EXPECT_TRUE(sink_->Configure(Request(plain)).value()) << "in_flight_bytes_max is said, too";
  EXPECT_FALSE(sink_->Configure(Request(plain)).value());
  EXPECT_TRUE(sink_->Configure(Request(with_file)).value());
  EXPECT_TRUE(sink_->Configure(Request(with_file)).value());
}

TEST_F(KafkaSinkTest, AWrongConfigurationIsRefusedAndChangesNothing) {
  Open();
  const auto refused = sink_->Configure(Request(
      {{"bootstrap.servers", "127.0.0.1:1"}, {"ssl.ca.location", "/not/there"}, {"acks", "1"}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConfiguration);
  Reopen();
}

TEST_F(KafkaSinkTest, GoesOnByItselfWhenTheTopicAppears) {
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  Open();
  EXPECT_EQ(Refusal({.topic = topic_}).kind, ErrorKind::kRejected);
  EXPECT_EQ(Refusal({.topic = topic_}).kind, ErrorKind::kRejected);
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_NO_ERROR);
  Publish(1, {.topic = topic_});
  EXPECT_EQ(Await(1).delivered, std::vector<DeliveryId>{1});
}

TEST_F(KafkaSinkTest, RejectsWhatNoRecordAndNoPartitionCanTake) {
  Open();
  EXPECT_EQ(Refusal({.topic = topic_, .timestamp = -1ms}).kind, ErrorKind::kRejected);
  EXPECT_EQ(Refusal({.topic = topic_, .partition = MockCluster::kPartitionCount}).kind,
            ErrorKind::kRejected);
  EXPECT_EQ(Refusal({.topic = "a b"}).kind, ErrorKind::kRejected);
}

TEST_F(KafkaSinkTest, RejectsAMessageThatIsLargerThanMessageMaxBytes) {
  Open({{"message.max.bytes", "2000"}});
  const std::string value(3000, 'x');
  const std::array<Header, 1> headers{Header{"id", "42"}};
  const Error error = Refusal({.topic = topic_, .value = value, .headers = headers});
  EXPECT_EQ(error.kind, ErrorKind::kRejected);
  EXPECT_NE(error.message.find("3004 bytes"), std::string::npos) << error.message;
  Publish(1);
  EXPECT_EQ(Await(1).delivered, std::vector<DeliveryId>{1});
}

TEST_F(KafkaSinkTest, OpenNamesTheBrokersThatDoNotAnswer) {
  Open();
  cluster_.SetDown();
  const auto identity = sink_->Open(200ms);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().kind, ErrorKind::kUnreachable);
  EXPECT_NE(identity.error().message.find(cluster_.bootstrap_servers()), std::string::npos)
      << identity.error().message;
  EXPECT_EQ(Refusal({.topic = topic_}).kind, ErrorKind::kProducerLost);
}

TEST_F(KafkaSinkTest, CreateRefusesAWrongConfiguration) {
  const auto sink = KafkaSink::Create({.properties = {{"acks", "1"}}});
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().kind, ErrorKind::kConfiguration);
}

TEST_F(KafkaSinkTest, WakeEndsThePollThatWaitsAndTheNext) {
  Open();
  DeliveryReports reports;
  sink_->Wake();
  sink_->Poll(1h, reports);
  std::thread acknowledger([&] { sink_->Poll(1h, reports); });
  sink_->Wake();
  acknowledger.join();
  sink_->Close();
  std::thread without_producer([&] { sink_->Poll(1h, reports); });
  sink_->Wake();
  without_producer.join();
  EXPECT_TRUE(reports.delivered.empty());
}

TEST_F(KafkaSinkTest, ReopensWhileTheOtherThreadPolls) {
  Open();
  std::jthread acknowledger([this](const std::stop_token& stop) {
    DeliveryReports reports;
    while (!stop.stop_requested()) sink_->Poll(1h, reports);
  });
  for (DeliveryId id = 0; id < 5; ++id) {
    Publish(id);
    Reopen();
  }
  sink_->Close();
  sink_->Close();
  acknowledger.request_stop();
  sink_->Wake();
}

TEST_F(KafkaSinkTest, HandsLibrdkafkasLinesToTheLog) {
  std::atomic<int> lines = 0;
  Open({{"debug", "broker"}}, {.log = [&lines](int, std::string_view) { ++lines; }});
  EXPECT_GT(lines, 0);
  sink_.reset();
}

TEST_F(KafkaSinkTest, OwnTopicsMustExistWhenItIsOpenedFirst) {
  KafkaSinkOptions options;
  options.properties = {{"bootstrap.servers", cluster_.bootstrap_servers()}};
  options.own_topics = {topic_};
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  sink_ = KafkaSink::Create(options).value();
  const auto opened = sink_->Open(kOpenTimeout);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kConfiguration);
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_NO_ERROR);
  Reopen();
  cluster_.SetTopicError(topic_, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  Reopen();
}

}  // namespace
}  // namespace outboxd::sinks
