#include "daemon/relay/publisher.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest() { tracker_.Begin(); }

  static std::vector<OutboxMapping> Mappings() {
    std::vector<OutboxMapping> mappings;
    mappings.push_back(OutboxMapping::Compile(OutboxConfig{}).value());
    return mappings;
  }
  // Lets the publisher take one step with a row whose columns are those of the preset debezium.
  Result<Step> Publish(const std::string& id, std::optional<std::string_view> type = "order") {
    values_.clear();
    for (const std::string& column : columns_) {
      if (column == "id") {
        values_.emplace_back(id);
      } else if (column == "aggregatetype") {
        values_.emplace_back(type);
      } else {
        values_.emplace_back("x");
      }
    }
    const binlog::Row row{0, "shop", "outbox", values_};
    done_ = false;
    return publisher_.Publish(row, "uuid:" + id + ":1", &done_);
  }
  void Report() {
    sinks::DeliveryReports reports;
    sink_.Poll(milliseconds(0), reports);
    tracker_.Report(reports);
  }
  bool IsHeld() { return publisher_.held().has_value(); }

  const std::vector<std::string> columns_ = Mappings()[0].columns();
  TemporaryDirectory directory_;
  StateDirectory state_{directory_.path()};
  FakeSink sink_;
  FakeClock clock_;
  DeliveryTracker tracker_{Progress{}};
  Publisher publisher_{Mappings(), sink_, tracker_, &state_, clock_, {}};
  std::vector<binlog::ColumnValue> values_;
  bool done_ = false;
};

TEST_F(PublisherTest, HandsARowToTheSinkAndGoesOn) {
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  EXPECT_EQ(sink_.in_flight[0].topic, "outbox.event.order");
}

TEST_F(PublisherTest, WaitsForRoomWithTheSameRow) {
  sink_.room = 0;
  EXPECT_EQ(Publish("1")->kind, Step::Kind::kFull);
  EXPECT_FALSE(done_);
  sink_.room = 1;
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
}

TEST_F(PublisherTest, HoldsAtARowThatHasNoMessageAndSaysWhy) {
  EXPECT_EQ(Publish("1", std::nullopt)->kind, Step::Kind::kPause);
  ASSERT_TRUE(IsHeld());
  EXPECT_EQ(publisher_.held()->position, "uuid:1:1");
  const auto written = state_.ReadHeld();
  ASSERT_TRUE(written && *written);
  EXPECT_EQ((*written)->id, "1");
}

TEST_F(PublisherTest, GoesOnByItselfWhenTheCauseIsGone) {
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kRejected, "topic is missing"};
  ASSERT_TRUE(Publish("1"));
  ASSERT_TRUE(IsHeld());
  sink_.publish_error.reset();
  clock_.Move(milliseconds(60'000));
  for (int i = 0; i < 10 && !done_; ++i) {
    ASSERT_TRUE(Publish("1"));
    sink_.AcknowledgeAll();
    Report();
  }
  EXPECT_TRUE(done_);
  EXPECT_FALSE(IsHeld());
  EXPECT_FALSE(*state_.ReadHeld());
}

TEST_F(PublisherTest, TakesBackWhatAnEarlierProcessHeldAt) {
  ASSERT_TRUE(state_.WriteHeld({.position = "uuid:1:1",
                                .id = "1",
                                .table = "shop.outbox",
                                .topic = "",
                                .reason = "topic is missing",
                                .since_us = 1}));
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
  EXPECT_FALSE(*state_.ReadHeld());
}

TEST_F(PublisherTest, PassesOnlyTheEventThatAnOperatorNamed) {
  ASSERT_TRUE(Publish("1", std::nullopt));
  ASSERT_TRUE(state_.RequestSkip("uuid:2:1"));
  ASSERT_TRUE(Publish("1", std::nullopt));
  EXPECT_FALSE(done_);
  ASSERT_TRUE(state_.RequestSkip("uuid:1:1"));
  ASSERT_TRUE(Publish("1", std::nullopt));
  EXPECT_TRUE(done_);
  EXPECT_FALSE(IsHeld());
  EXPECT_TRUE(tracker_.AllAcknowledged());
  EXPECT_TRUE(std::filesystem::exists(state_.path() + "/skipped.jsonl"));
}

TEST_F(PublisherTest, EndsTheRunInsteadWhereConfigured) {
  Publisher strict(Mappings(), sink_, tracker_, &state_, clock_,
                   {.on_bad_event = DeliveryConfig::OnBadEvent::kStop});
  values_.assign(columns_.size(), std::nullopt);
  const auto step = strict.Publish({0, "shop", "outbox", values_}, "uuid:1:1", &done_);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().exit_code, ExitCode::kUndecodable);
}

TEST_F(PublisherTest, CarefulMessagesGoOneByOne) {
  publisher_.BeCareful(1);
  EXPECT_EQ(Publish("1")->kind, Step::Kind::kPause);
  EXPECT_FALSE(done_);
  EXPECT_TRUE(publisher_.is_awaiting());
  sink_.Acknowledge();
  Report();
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
}

TEST_F(PublisherTest, ARefusedMessageIsSentAgainThroughANewProducerAndNothingOvertakesIt) {
  publisher_.BeCareful(1);
  ASSERT_TRUE(Publish("1"));
  sink_.Refuse("too large");
  Report();
  ASSERT_TRUE(Publish("1"));
  ASSERT_TRUE(IsHeld());
  EXPECT_EQ(publisher_.held()->reason, "too large");
  clock_.Move(milliseconds(60'000));
  for (int i = 0; i < 10 && sink_.in_flight.empty(); ++i) ASSERT_TRUE(Publish("1"));
  EXPECT_EQ(sink_.opened, 1);
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  sink_.Acknowledge();
  Report();
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
}

}  // namespace
}  // namespace outboxd
