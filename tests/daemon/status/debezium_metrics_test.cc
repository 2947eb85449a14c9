#include "daemon/status/debezium_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::uint64_t kNow = 1'700'000'000'000'000;

class DebeziumMetricsTest : public testing::Test {
 protected:
  // The value of one of its attributes, which is the same in both contexts.
  std::string Told(const std::string& attribute, seconds age = {}) {
    const std::string text =
        DebeziumMetricsText({.status = status_, .age = age, .now_us = kNow, .relay = "shop"});
    const auto in = [&](std::string_view context) {
      const std::string series = "\ndebezium_metrics_" + attribute + "{context=\"" +
                                 std::string(context) + "\",name=\"shop\",plugin=\"mysql\"} ";
      const std::size_t at = text.find(series);
      if (at == text.npos) return std::string("missing");
      const std::size_t begin = at + series.size();
      return text.substr(begin, text.find('\n', begin) - begin);
    };
    EXPECT_EQ(in("streaming"), in("snapshot"));
    return in("streaming");
  }

  RelayStatus status_;
};

TEST_F(DebeziumMetricsTest, AreGauges) {
  EXPECT_THAT(DebeziumMetricsText({.status = status_, .now_us = kNow, .relay = "shop"}),
              HasSubstr("# TYPE debezium_metrics_NumberOfDisconnects gauge\n"));
}

TEST_F(DebeziumMetricsTest, TellTheLagInMillisecondsAndThatItIsNotKnown) {
  EXPECT_EQ(Told("MilliSecondsBehindSource"), "-1");
  EXPECT_EQ(Told("SecondsBehindMaster"), "-1");
  status_.lag.oldest = seconds(3);
  EXPECT_EQ(Told("MilliSecondsBehindSource", seconds(1)), "4000");
  EXPECT_EQ(Told("SecondsBehindMaster", seconds(1)), "4");
}

TEST_F(DebeziumMetricsTest, TellHowLongAgoTheLastEventWas) {
  EXPECT_EQ(Told("MilliSecondsSinceLastEvent"), "-1");
  status_.at_receiver.acknowledged_at_us = kNow - 2'500'000;
  EXPECT_EQ(Told("MilliSecondsSinceLastEvent"), "2500");
  EXPECT_EQ(Told("SecondsSinceLastEvent"), "2.5");
}

TEST_F(DebeziumMetricsTest, TellWhatIsLeftOfTheQueue) {
  status_.at_receiver.in_flight_max = 30'000;
  status_.in_flight = 12;
  EXPECT_EQ(Told("QueueTotalCapacity"), "30000");
  EXPECT_EQ(Told("QueueRemainingCapacity"), "29988");
}

TEST_F(DebeziumMetricsTest, CountEveryConnectionButTheFirst) {
  EXPECT_EQ(Told("NumberOfDisconnects"), "0");
  status_.failures.source_opened = 1;
  EXPECT_EQ(Told("NumberOfDisconnects"), "0");
  status_.failures.source_opened = 3;
  EXPECT_EQ(Told("NumberOfDisconnects"), "2");
}

TEST_F(DebeziumMetricsTest, TellHowFarAnInitialReadIs) {
  status_.phase = RelayStatus::Phase::kInitialRead;
  status_.read =
      InitialRead{.tables = {{"shop", "a", true}, {"shop", "b"}}, .begun_us = kNow - 60'000'000};
  EXPECT_EQ(Told("SnapshotRunning"), "1");
  EXPECT_EQ(Told("SnapshotCompleted"), "0");
  EXPECT_EQ(Told("TotalTableCount"), "2");
  EXPECT_EQ(Told("RemainingTableCount"), "1");
  EXPECT_EQ(Told("SnapshotDurationInSeconds"), "60");
  status_.phase = RelayStatus::Phase::kStreaming;
  status_.read.reset();
  EXPECT_EQ(Told("SnapshotRunning"), "0");
  EXPECT_EQ(Told("SnapshotCompleted"), "1");
}

TEST_F(DebeziumMetricsTest, TellWhatWentWrong) {
  EXPECT_EQ(Told("Connected"), "1");
  status_.source.emplace();
  EXPECT_EQ(Told("Connected"), "0");
  status_.failures.dead_refused = 4;
  status_.held.emplace();
  EXPECT_EQ(Told("NumberOfErroneousEvents"), "5");
}

}  // namespace
}  // namespace outboxd
