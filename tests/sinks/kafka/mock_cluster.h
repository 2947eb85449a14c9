#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sinks/kafka/kafka_handles.h"

namespace outboxd::sinks {

struct Record {
  std::int32_t partition = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::int64_t timestamp = 0;
};

// librdkafka's in-process Kafka: a broker with logs, without sequence checks, limits or admin
// requests. With librdkafka 2.0.2 most of the verbs below may wait up to a second for the broker's
// thread, and the broker makes each topic that it is asked for.
class MockCluster {
 public:
  static constexpr int kPartitionCount = 4;  // What the mock makes by itself.

  MockCluster();
  ~MockCluster();

  // Ending a mock cluster takes up to a second, so the tests share one.
  static MockCluster& Shared();

  // Makes a topic that no other test uses.
  [[nodiscard]] std::string NewTopic(int partition_count = kPartitionCount);

  // Up, without delay and without errors to come.
  void Restore();

  [[nodiscard]] std::string bootstrap_servers() const;

  // A producer of its own, whose delivery reports come as events.
  [[nodiscard]] ClientHandle NewProducer() const;

  // What the cluster answers about the topic from now on; NO_ERROR: it is there.
  void SetTopicError(const std::string& topic, rd_kafka_resp_err_t code);

  // The next ProduceRequests fail with these, one each.
  void FailProduceRequests(std::initializer_list<rd_kafka_resp_err_t> codes);

  // No producer gets an id any more.
  void RefuseProducers(rd_kafka_resp_err_t code);

  // As a broker answers when one batch is refused with `code` and others are in flight behind it:
  // the mock itself knows no sequence numbers. Restore() ends it.
  void RefuseProduceRequest(rd_kafka_resp_err_t code);

  void SetDown();
  void SetUp();
  void SetRoundTrip(int milliseconds);

  // Everything in the topic's log, each partition in its order.
  [[nodiscard]] std::vector<Record> ReadAll(const std::string& topic, int partition_count);

 private:
  ClientHandle client_;
  rd_kafka_mock_cluster_t* cluster_;
  ClientHandle consumer_;
  int topic_count_ = 0;
  bool is_down_ = false;
  bool is_slow_ = false;
};

}  // namespace outboxd::sinks
