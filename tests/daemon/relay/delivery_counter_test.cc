#include "daemon/relay/delivery_counter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/relay/delivery_tracker.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

class DeliveryCounterTest : public testing::Test {
 protected:
  // A message of the unit in hand.
  sinks::DeliveryId Send(const char* table, std::size_t bytes) {
    const sinks::DeliveryId id = tracker_.NextId();
    tracker_.CountMessage("shop", table, bytes);
    return id;
  }
  void Finish() { tracker_.Finish(binlog::Transaction(), false); }

  FakeClock clock_;
  ServerClock server_clock_{clock_};
  DeliveryTracker tracker_{Progress{}, false, &server_clock_};
};

TEST_F(DeliveryCounterTest, CountsAUnitByTableWhenAllOfItIsAcknowledged) {
  tracker_.Begin();
  const auto first = Send("orders", 10);
  const auto second = Send("payments", 300);
  const auto third = Send("orders", 20);
  Finish();
  tracker_.Acknowledge(first);
  tracker_.Acknowledge(second);
  EXPECT_THAT(tracker_.counts().tables,
              ElementsAre(TableCounts{"shop.orders", 0, 0}, TableCounts{"shop.payments", 0, 0}));
  tracker_.Acknowledge(third);
  EXPECT_THAT(tracker_.counts().tables,
              ElementsAre(TableCounts{"shop.orders", 2, 30}, TableCounts{"shop.payments", 1, 300}));
}

TEST_F(DeliveryCounterTest, WhatIsForgottenAndSentAgainCountsOnce) {
  tracker_.Begin();
  (void)Send("orders", 10);
  (void)tracker_.Restart();
  tracker_.Begin();
  const auto id = Send("orders", 10);
  Finish();
  tracker_.Acknowledge(id);
  EXPECT_THAT(tracker_.counts().tables, ElementsAre(TableCounts{"shop.orders", 1, 10}));
}

TEST_F(DeliveryCounterTest, TheNumberOfTablesIsBounded) {
  for (int i = 0; i < 150; ++i) {
    tracker_.Begin();
    const auto id = Send(fmt::format("tenant_{}", i).c_str(), 1);
    Finish();
    tracker_.Acknowledge(id);
  }
  const DeliveryCounts counts = tracker_.counts();
  ASSERT_EQ(counts.tables.size(), DeliveryCounts::kTablesMax + 1);
  EXPECT_EQ(counts.tables.back(), (TableCounts{DeliveryCounts::kOtherTables, 50, 50}));
}

TEST_F(DeliveryCounterTest, TheLatencyIsFromTheCommitByTheServersClock) {
  const std::uint64_t server_us = clock_.WallMicroseconds() + 3'600'000'000;
  server_clock_.Set(server_us, clock_.Now());
  tracker_.Begin(server_us);
  const auto id = Send("orders", 10);
  (void)Send("orders", 10);
  Finish();
  clock_.Move(milliseconds(30));
  tracker_.Acknowledge(id);
  tracker_.AcknowledgeBefore(tracker_.end_id());
  const LatencyCounts latency = tracker_.counts().latency;
  EXPECT_EQ(latency.counts[6], 2u) << "at most 50 ms";
  EXPECT_NEAR(latency.sum_s, 0.060, 1e-9);
}

TEST_F(DeliveryCounterTest, ATransactionWithoutATimeHasNoLatency) {
  tracker_.Begin(0);
  const auto id = Send("orders", 10);
  Finish();
  tracker_.Acknowledge(id);
  EXPECT_EQ(tracker_.counts().latency, LatencyCounts{});
}

TEST(ServerClockTest, IsThisMachinesUntilItIsToldAndGoesOnWithTheSteadyClock) {
  FakeClock clock;
  ServerClock server_clock(clock);
  EXPECT_EQ(server_clock.Now(), clock.WallMicroseconds());
  server_clock.Set(5'000'000, clock.Now());
  clock.Move(seconds(2));
  EXPECT_EQ(server_clock.Now(), 7'000'000u);
}

}  // namespace
}  // namespace outboxd
