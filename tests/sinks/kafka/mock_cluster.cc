#include "tests/sinks/kafka/mock_cluster.h"

#include <gtest/gtest.h>

#include <array>

namespace outboxd::sinks {
namespace {

constexpr std::int16_t kProduceRequest = 0;
constexpr std::int16_t kInitProducerIdRequest = 22;
constexpr int kTimeoutMs = 5000;

ClientHandle NewClient(rd_kafka_type_t type, const std::string& bootstrap_servers) {
  std::array<char, 512> text{};
  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  if (!bootstrap_servers.empty()) {
    rd_kafka_conf_set(configuration, "bootstrap.servers", bootstrap_servers.c_str(), text.data(),
                      text.size());
  }
  if (type == RD_KAFKA_CONSUMER) {
    rd_kafka_conf_set(configuration, "group.id", "test", text.data(), text.size());
    rd_kafka_conf_set(configuration, "enable.auto.commit", "false", text.data(), text.size());
    rd_kafka_conf_set(configuration, "allow.auto.create.topics", "true", text.data(), text.size());
    rd_kafka_conf_set(configuration, "fetch.wait.max.ms", "10", text.data(), text.size());
  }
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_DR);
  rd_kafka_conf_set(configuration, "log_level", "0", text.data(), text.size());
  return ClientHandle(rd_kafka_new(type, configuration, text.data(), text.size()));
}

using MessageHandle = KafkaHandle<rd_kafka_message_t, rd_kafka_message_destroy>;

std::string Text(const void* bytes, std::size_t size) {
  return {static_cast<const char*>(bytes), size};
}

Record ReadRecord(const rd_kafka_message_t& message) {
  Record record;
  record.partition = message.partition;
  if (message.key != nullptr) record.key = Text(message.key, message.key_len);
  if (message.payload != nullptr) record.value = Text(message.payload, message.len);
  record.timestamp = rd_kafka_message_timestamp(&message, nullptr);
  rd_kafka_headers_t* headers = nullptr;
  rd_kafka_message_headers(&message, &headers);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       headers != nullptr &&
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.emplace_back(name,
                                value == nullptr ? std::nullopt : std::optional(Text(value, size)));
  }
  return record;
}

std::size_t CountRecords(rd_kafka_t* consumer, const std::string& topic, std::int32_t partition) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  EXPECT_EQ(
      rd_kafka_query_watermark_offsets(consumer, topic.c_str(), partition, &low, &high, kTimeoutMs),
      RD_KAFKA_RESP_ERR_NO_ERROR);
  return static_cast<std::size_t>(high - low);
}

}  // namespace

MockCluster::MockCluster()
    : client_(NewClient(RD_KAFKA_PRODUCER, "")),
      cluster_(rd_kafka_mock_cluster_new(client_.get(), /*broker_cnt=*/1)),
      consumer_(NewClient(RD_KAFKA_CONSUMER, bootstrap_servers())) {}

MockCluster::~MockCluster() {
  consumer_.reset();
  rd_kafka_mock_cluster_destroy(cluster_);
}

MockCluster& MockCluster::Shared() {
  static MockCluster cluster;
  return cluster;
}

std::string MockCluster::NewTopic(int partition_count) {
  const std::string name = "topic-" + std::to_string(++topic_count_);
  if (partition_count != kPartitionCount) {
    rd_kafka_mock_topic_create(cluster_, name.c_str(), partition_count, /*replication_factor=*/1);
    return name;
  }
  // Being asked for it makes it as well, and sooner.
  const TopicHandle topic(rd_kafka_topic_new(consumer_.get(), name.c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  EXPECT_EQ(rd_kafka_metadata(consumer_.get(), /*all_topics=*/0, topic.get(), &answer, kTimeoutMs),
            RD_KAFKA_RESP_ERR_NO_ERROR);
  const MetadataHandle metadata(answer);
  return name;
}

void MockCluster::Restore() {
  if (is_down_) SetUp();
  if (is_slow_) SetRoundTrip(0);
  rd_kafka_mock_clear_request_errors(cluster_, kProduceRequest);
  rd_kafka_mock_clear_request_errors(cluster_, kInitProducerIdRequest);
}

std::string MockCluster::bootstrap_servers() const {
  return rd_kafka_mock_cluster_bootstraps(cluster_);
}

ClientHandle MockCluster::NewProducer() const {
  return NewClient(RD_KAFKA_PRODUCER, bootstrap_servers());
}

void MockCluster::SetTopicError(const std::string& topic, rd_kafka_resp_err_t code) {
  rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), code);
}

void MockCluster::FailProduceRequests(std::initializer_list<rd_kafka_resp_err_t> codes) {
  rd_kafka_mock_push_request_errors_array(cluster_, kProduceRequest, codes.size(), codes.begin());
}

void MockCluster::RefuseProducers(rd_kafka_resp_err_t code) {
  const std::vector<rd_kafka_resp_err_t> codes(100, code);
  rd_kafka_mock_push_request_errors_array(cluster_, kInitProducerIdRequest, codes.size(),
                                          codes.data());
}

void MockCluster::RefuseProduceRequest(rd_kafka_resp_err_t code) {
  constexpr auto kOutOfOrder = RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
  FailProduceRequests({code, kOutOfOrder, kOutOfOrder, kOutOfOrder, kOutOfOrder});
}

void MockCluster::SetDown() {
  is_down_ = true;
  rd_kafka_mock_broker_set_down(cluster_, -1);
}

void MockCluster::SetUp() {
  is_down_ = false;
  rd_kafka_mock_broker_set_up(cluster_, -1);
}

void MockCluster::SetRoundTrip(int milliseconds) {
  is_slow_ = milliseconds > 0;
  rd_kafka_mock_broker_set_rtt(cluster_, -1, milliseconds);
}

std::vector<Record> MockCluster::ReadAll(const std::string& topic, int partition_count) {
  std::vector<Record> records;
  const KafkaHandle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>
      partitions(rd_kafka_topic_partition_list_new(partition_count));
  std::size_t count = 0;
  for (std::int32_t partition = 0; partition < partition_count; ++partition) {
    count += CountRecords(consumer_.get(), topic, partition);
    rd_kafka_topic_partition_list_add(partitions.get(), topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer_.get(), partitions.get());
  while (records.size() < count) {
    const MessageHandle message(rd_kafka_consumer_poll(consumer_.get(), kTimeoutMs));
    if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      ADD_FAILURE() << "cannot read " << topic;
      break;
    }
    records.push_back(ReadRecord(*message));
  }
  rd_kafka_assign(consumer_.get(), nullptr);
  return records;
}

}  // namespace outboxd::sinks
