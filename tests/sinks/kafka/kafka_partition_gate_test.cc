#include "sinks/kafka/kafka_partition_gate.h"

#include <gtest/gtest.h>

#include <array>

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;

class PartitionGateTest : public testing::Test {
 protected:
  bool TryEnter(DeliveryId id) { return gate_.TryEnter(partition_, id, now_); }

  void Acknowledge(DeliveryId id) { gate_.Acknowledge(std::array{id}); }

  PartitionGate gate_;
  PartitionGate::Partition partition_;
  PartitionGate::Clock::time_point now_{1h};
};

TEST_F(PartitionGateTest, HoldsTheSecondMessageUntilTheFirstIsAcknowledged) {
  EXPECT_TRUE(TryEnter(1));
  EXPECT_FALSE(TryEnter(2));
  Acknowledge(7);
  EXPECT_FALSE(TryEnter(2));
  Acknowledge(1);
  EXPECT_TRUE(TryEnter(2));
  EXPECT_TRUE(TryEnter(3));
}

TEST_F(PartitionGateTest, LetsAnotherMessageBeTheFirstWhenOneWasTakenBack) {
  EXPECT_TRUE(TryEnter(1));
  gate_.TakeBack(partition_, 1);
  EXPECT_TRUE(TryEnter(2));
  EXPECT_FALSE(TryEnter(3));
}

TEST_F(PartitionGateTest, TakingBackALaterMessageChangesNothing) {
  EXPECT_TRUE(TryEnter(1));
  Acknowledge(1);
  EXPECT_TRUE(TryEnter(2));
  gate_.TakeBack(partition_, 2);
  EXPECT_TRUE(TryEnter(3));
  EXPECT_TRUE(TryEnter(4));
}

TEST_F(PartitionGateTest, KnowsPartitionsApart) {
  PartitionGate::Partition other;
  EXPECT_TRUE(TryEnter(1));
  EXPECT_TRUE(gate_.TryEnter(other, 2, now_));
  Acknowledge(2);
  EXPECT_FALSE(TryEnter(3));
  EXPECT_TRUE(gate_.TryEnter(other, 3, now_));
}

TEST_F(PartitionGateTest, BeginsAnewAfterAPauseInWhichABrokerMayForgetTheProducer) {
  EXPECT_TRUE(TryEnter(1));
  Acknowledge(1);
  EXPECT_TRUE(TryEnter(2));
  now_ += 1h;
  EXPECT_TRUE(TryEnter(3));
  EXPECT_FALSE(TryEnter(4));
}

}  // namespace
}  // namespace outboxd::sinks
