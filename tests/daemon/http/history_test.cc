#include "daemon/http/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Optional;

constexpr std::uint64_t kBegin = 1'700'000'000'000'000;
constexpr std::uint64_t kSecond = 1'000'000;

RelayStatus Delivered(std::uint64_t events) {
  RelayStatus status;
  status.delivered = events;
  status.lag.proven_for = seconds(5);
  return status;
}

TEST(HistoryTest, TakesASampleEveryTenSeconds) {
  History history;
  for (std::uint64_t s = 0; s <= 30; ++s) history.Note(Delivered(s * 7), kBegin + s * kSecond);
  ASSERT_EQ(history.samples().size(), 4u);
  EXPECT_EQ(history.samples().front().rate, 0);
  EXPECT_EQ(history.samples().back().rate, 7);
  EXPECT_THAT(history.samples().back().lag_s, Optional(0.0));
}

TEST(HistoryTest, KeepsAnHour) {
  History history;
  for (std::uint64_t i = 0; i < 500; ++i) history.Note(Delivered(i), kBegin + i * 10 * kSecond);
  EXPECT_EQ(history.samples().size(), History::kSamplesMax);
  EXPECT_EQ(history.samples().back().at_us, kBegin + 4990 * kSecond);
}

TEST(HistoryTest, ALagThatIsNotKnownIsNone) {
  History history;
  history.Note(RelayStatus{}, kBegin);
  EXPECT_EQ(history.samples().front().lag_s, std::nullopt);
}

TEST(HistoryTest, ARelayThatBeginsAnewAndAClockThatIsSetBackDoNotEndIt) {
  History history;
  history.Note(Delivered(1000), kBegin);
  history.Note(Delivered(3), kBegin + 10 * kSecond);
  EXPECT_EQ(history.samples().back().rate, 0);
  history.Note(Delivered(4), kBegin - 3600 * kSecond);
  EXPECT_EQ(history.samples().size(), 3u);
  EXPECT_EQ(history.samples().back().rate, 0);
}

TEST(QuantileTest, IsWithinTheClassThatHoldsIt) {
  LatencyCounts before, after;
  before.Add(seconds(40), 100);
  after = before;
  EXPECT_EQ(Quantile(before, after, 0.5), std::nullopt);
  after.Add(milliseconds(2), 98);
  after.Add(seconds(2), 2);
  EXPECT_THAT(Quantile(before, after, 0.5), Optional(testing::DoubleNear(0.00177, 0.0001)));
  EXPECT_THAT(Quantile(before, after, 0.99), Optional(testing::DoubleNear(1.75, 0.01)));
}

TEST(QuantileTest, OfTheLastClassItIsTheBeginning) {
  LatencyCounts after;
  after.Add(seconds(3600), 1);
  EXPECT_THAT(Quantile({}, after, 0.99), Optional(300.0));
}

}  // namespace
}  // namespace outboxd
