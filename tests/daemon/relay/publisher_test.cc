#include "daemon/relay/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <filesystem>

#include "daemon/checkpoint/dead_letter_log.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

class PublisherTest : public ::testing::Test {
 protected:
  explicit PublisherTest(Publisher::Options options = {}) : options_(std::move(options)) {
    tracker_.Begin();
  }

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
    const auto published = publisher_.Publish(row, "uuid:" + id + ":1");
    done_ = published && published->is_done;
    if (!published) return std::unexpected(published.error());
    return published->step;
  }
  void Report() {
    sinks::DeliveryReports reports;
    sink_.Poll(milliseconds(0), reports);
    tracker_.Report(reports);
  }
  bool IsHeld() { return publisher_.held().has_value(); }

  const Publisher::Options options_;
  const std::vector<std::string> columns_ = Mappings()[0].columns();
  TemporaryDirectory directory_;
  StateDirectory state_{directory_.path()};
  FakeSink sink_;
  FakeClock clock_;
  DeliveryTracker tracker_{Progress{}};
  Liveness liveness_{clock_};
  Outages outages_{clock_};
  SinkOwner owner_{sink_, FakeSink::kWords, liveness_, outages_, clock_};
  Publisher publisher_{Mappings(), owner_, tracker_, &state_, outages_, clock_, options_};
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

TEST_F(PublisherTest, AReceiverThatCannotBeAskedAboutATopicDoesNotAnswer) {
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kUnreachable, "cannot look up topic"};
  EXPECT_EQ(Publish("1")->kind, Step::Kind::kPause);
  ASSERT_TRUE(outages_.sink());
  EXPECT_EQ(outages_.sink()->reason, "cannot look up topic");
  EXPECT_FALSE(IsHeld());
  sink_.publish_error.reset();
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
  EXPECT_FALSE(outages_.sink());
}

// Where an operator drops the event then, no other one may come for long that would end the outage.
TEST_F(PublisherTest, AReceiverThatRefusesAnswers) {
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kUnreachable, "cannot look up topic"};
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(outages_.sink());
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kRejected, "topic is missing"};
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(IsHeld());
  EXPECT_FALSE(outages_.sink());
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
  Publisher strict(Mappings(), owner_, tracker_, &state_, outages_, clock_,
                   {.on_bad_event = DeliveryConfig::OnBadEvent::kStop});
  values_.assign(columns_.size(), std::nullopt);
  const auto step = strict.Publish({0, "shop", "outbox", values_}, "uuid:1:1");
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().kind, ExitCode::kUndecodable);
}

TEST_F(PublisherTest, TheEndOfTheRunSaysWhatToDoOnce) {
  Publisher strict(Mappings(), owner_, tracker_, &state_, outages_, clock_,
                   {.on_bad_event = DeliveryConfig::OnBadEvent::kStop});
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kRejected, "too large", "raise the limit"};
  values_.assign(columns_.size(), "x");
  const auto step = strict.Publish({0, "shop", "outbox", values_}, "uuid:1:1");
  ASSERT_FALSE(step);
  EXPECT_THAT(step.error().ToText(),
              testing::EndsWith(": too large HINT: raise the limit and start again; with"
                                " on-bad-event = hold the relay waits at it instead, and 'outboxd"
                                " skip uuid:1:1' drops this event, and it only"));
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
  EXPECT_EQ(sink_.closed, 1);
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  sink_.Acknowledge();
  Report();
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
}

TEST_F(PublisherTest, ASkippedEventIsRecordedWithKeyValueAndHeaders) {
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kRejected, "topic is missing"};
  ASSERT_TRUE(Publish("1"));
  ASSERT_TRUE(state_.RequestSkip("uuid:1:1"));
  ASSERT_TRUE(Publish("1"));
  ASSERT_TRUE(done_);
  EXPECT_EQ(tracker_.delivered(), 0u);
  EXPECT_EQ(tracker_.skipped(), 1u);
  const std::string record = directory_.Read("skipped.jsonl");
  EXPECT_THAT(record, HasSubstr(R"("topic":"outbox.event.order")"));
  EXPECT_THAT(record, HasSubstr(R"("key":"x","value":"x","headers":[["id","1"],)"));
}

TEST_F(PublisherTest, AnEventThatWasLetPassPassesAgainAlsoInAnotherProcess) {
  sink_.publish_error = sinks::Error{sinks::ErrorKind::kRejected, "topic is missing"};
  ASSERT_TRUE(Publish("1"));
  ASSERT_TRUE(state_.RequestSkip("uuid:1:1"));
  ASSERT_TRUE(Publish("1"));
  publisher_.Reset();
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
  Publisher next(Mappings(), owner_, tracker_, &state_, outages_, clock_, {});
  const auto published = next.Publish({0, "shop", "outbox", values_}, "uuid:1:1");
  EXPECT_TRUE(published && published->is_done);
  EXPECT_TRUE(tracker_.AllAcknowledged());
  EXPECT_EQ(tracker_.delivered(), 0u) << "nor does it count as delivered";
  ASSERT_TRUE(state_.ForgetPassed());
  Publisher elsewhere(Mappings(), owner_, tracker_, &state_, outages_, clock_, {});
  EXPECT_FALSE(elsewhere.Publish({0, "shop", "outbox", values_}, "uuid:1:1")->is_done);
}

TEST_F(PublisherTest, AHoldThatCannotBeRecordedYetIsRecordedLater) {
  const auto in_the_way = std::filesystem::path(directory_ / "held.new");
  std::filesystem::create_directory(in_the_way);
  ASSERT_TRUE(Publish("1", std::nullopt));
  ASSERT_TRUE(publisher_.held());
  EXPECT_THAT(outages_.state()->reason, HasSubstr("held.new: open failed"));
  std::filesystem::remove(in_the_way);
  ASSERT_TRUE(Publish("1", std::nullopt));
  EXPECT_TRUE(IsHeld());
  EXPECT_FALSE(outages_.state());
}

TEST_F(PublisherTest, WhatCannotBeRecordedDoesNotPass) {
  const auto in_the_way = std::filesystem::path(directory_ / "skipped.jsonl");
  std::filesystem::create_directory(in_the_way);
  ASSERT_TRUE(Publish("1", std::nullopt));
  ASSERT_TRUE(state_.RequestSkip("uuid:1:1"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Publish("1", std::nullopt));
  EXPECT_FALSE(done_);
  EXPECT_TRUE(outages_.state());
  std::filesystem::remove(in_the_way);
  ASSERT_TRUE(Publish("1", std::nullopt));
  EXPECT_TRUE(done_);
  EXPECT_FALSE(outages_.state());
}

// With on-bad-event = dead-letter.
class DeadLetterPublisherTest : public PublisherTest {
 protected:
  DeadLetterPublisherTest()
      : PublisherTest({.on_bad_event = DeliveryConfig::OnBadEvent::kDeadLetter,
                       .dead_letter_topic = "dead"}) {}

  // Steps with the row of `id` until it is done or a message is in flight.
  void PublishUntilSent(const std::string& id) {
    for (int i = 0; i < 10 && sink_.in_flight.empty(); ++i) {
      ASSERT_TRUE(Publish(id));
      if (done_) return;
      clock_.Move(milliseconds(60'000));
    }
  }
  void AcknowledgeAndFinish(const std::string& id) {
    sink_.Acknowledge();
    Report();
    ASSERT_TRUE(Publish(id));
  }
  std::optional<DeadLetterCount> Counted() {
    return DeadLetterLog(directory_.path()).Counted().value();
  }
};

TEST_F(DeadLetterPublisherTest, ARefusedEventGoesToTheDeadLetterTopicAndTheRelayGoesOn) {
  sink_.refused_topics = {"outbox.event.order"};
  PublishUntilSent("1");
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  EXPECT_EQ(sink_.in_flight[0].topic, "dead");
  EXPECT_FALSE(done_);
  AcknowledgeAndFinish("1");
  EXPECT_TRUE(done_);
  EXPECT_FALSE(IsHeld());
  ASSERT_TRUE(Counted());
  EXPECT_EQ(Counted()->count, 1u);
  EXPECT_EQ(Counted()->last.position, "uuid:1:1");
  EXPECT_EQ(Counted()->last.reason, "refused at once");
}

TEST_F(DeadLetterPublisherTest, ADeadLetterThatCannotBeCountedYetIsSentOnceAndCountedLater) {
  const auto in_the_way = std::filesystem::path(directory_ / "dead-letters.new");
  std::filesystem::create_directory(in_the_way);
  sink_.refused_topics = {"outbox.event.order"};
  PublishUntilSent("1");
  AcknowledgeAndFinish("1");
  ASSERT_TRUE(Publish("1"));
  EXPECT_FALSE(done_);
  EXPECT_TRUE(outages_.state());
  std::filesystem::remove(in_the_way);
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
  EXPECT_EQ(sink_.delivered.size(), 1u);
  EXPECT_EQ(Counted()->count, 1u);
}

TEST_F(DeadLetterPublisherTest, NothingCountsAsDeliveredBeforeTheDeadLetterIsAcknowledged) {
  sink_.refused_topics = {"outbox.event.order"};
  PublishUntilSent("1");
  EXPECT_EQ(Publish("1")->kind, Step::Kind::kPause);
  EXPECT_FALSE(done_);
  EXPECT_FALSE(tracker_.AllAcknowledged());
  EXPECT_FALSE(Counted());
}

TEST_F(DeadLetterPublisherTest, AnEventTheBrokerRefusesGoesThroughANewProducer) {
  publisher_.BeCareful(1);
  ASSERT_TRUE(Publish("1"));
  sink_.Refuse("too large");
  Report();
  PublishUntilSent("1");
  EXPECT_EQ(sink_.closed, 1);
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  EXPECT_EQ(sink_.in_flight[0].topic, "dead");
  AcknowledgeAndFinish("1");
  EXPECT_TRUE(done_);
  EXPECT_EQ(Counted()->last.reason, "too large");
}

TEST_F(DeadLetterPublisherTest, ADeadLetterThatIsRefusedTooHoldsAndSaysBothReasons) {
  sink_.refused_topics = {"outbox.event.order"};
  PublishUntilSent("1");
  sink_.Refuse("too large", "raise max.message.bytes");
  Report();
  ASSERT_TRUE(Publish("1"));
  ASSERT_TRUE(IsHeld());
  EXPECT_EQ(publisher_.held()->reason,
            "refused at once; as a dead letter it was refused too: too large");
  EXPECT_EQ(publisher_.held()->hint, "raise max.message.bytes");
  EXPECT_EQ(publisher_.held()->topic, "outbox.event.order");
}

TEST_F(DeadLetterPublisherTest, AHeldOneIsTriedAtItsOwnTopicFirst) {
  sink_.refused_topics = {"outbox.event.order", "dead"};
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Publish("1"));
  ASSERT_TRUE(IsHeld());
  sink_.refused_topics.clear();
  clock_.Move(milliseconds(60'000));
  PublishUntilSent("1");
  EXPECT_EQ(sink_.in_flight[0].topic, "outbox.event.order");
  AcknowledgeAndFinish("1");
  EXPECT_FALSE(IsHeld());
  EXPECT_FALSE(Counted());
}

TEST_F(DeadLetterPublisherTest, AnEventWithoutAMessageHolds) {
  ASSERT_TRUE(Publish("1", std::nullopt));
  ASSERT_TRUE(IsHeld());
  EXPECT_THAT(publisher_.held()->reason, StartsWith("no dead letter can be made: "));
}

TEST_F(DeadLetterPublisherTest, ALostProducerSendsTheDeadLetterAgain) {
  sink_.refused_topics = {"outbox.event.order"};
  PublishUntilSent("1");
  sink_.Lose("connection");
  Report();
  PublishUntilSent("1");
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  EXPECT_EQ(sink_.in_flight[0].topic, "dead");
  EXPECT_FALSE(IsHeld());
}

TEST_F(DeadLetterPublisherTest, OneThatIsReadAgainIsNotSentAgain) {
  sink_.refused_topics = {"outbox.event.order"};
  PublishUntilSent("1");
  AcknowledgeAndFinish("1");
  publisher_.Reset();
  publisher_.BeCareful(2);
  ASSERT_TRUE(Publish("1"));
  EXPECT_TRUE(done_);
  EXPECT_TRUE(sink_.in_flight.empty());
  EXPECT_TRUE(tracker_.AllAcknowledged());
  PublishUntilSent("2");
  EXPECT_EQ(sink_.in_flight.size(), 1u);
}

TEST_F(DeadLetterPublisherTest, OneThatIsReadAgainAfterACrashIsSentAgainAndCountsOnce) {
  sink_.refused_topics = {"outbox.event.order"};
  PublishUntilSent("1");
  AcknowledgeAndFinish("1");
  values_[0] = "1";  // What it was is gone with the call that set it.
  Publisher next(Mappings(), owner_, tracker_, &state_, outages_, clock_, options_);
  const binlog::Row row{0, "shop", "outbox", values_};
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(next.Publish(row, "uuid:1:1"));
  sink_.Acknowledge();
  Report();
  const auto published = next.Publish(row, "uuid:1:1");
  EXPECT_TRUE(published && published->is_done);
  EXPECT_EQ(sink_.delivered.size(), 2u);
  EXPECT_EQ(Counted()->count, 1u);
}

TEST_F(DeadLetterPublisherTest, AnEventCannotNameTheDeadLetterTopicByItself) {
  OutboxConfig config;
  config.topic = "{aggregatetype}";
  std::vector<OutboxMapping> mappings;
  mappings.push_back(OutboxMapping::Compile(config).value());
  values_.assign(columns_.size(), "dead");
  const binlog::Row row{0, "shop", "outbox", values_};
  Publisher publisher(std::move(mappings), owner_, tracker_, &state_, outages_, clock_, options_);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(publisher.Publish(row, "uuid:1:1"));
  ASSERT_EQ(sink_.in_flight.size(), 1u);
  sink_.Acknowledge();
  Report();
  ASSERT_TRUE(publisher.Publish(row, "uuid:1:1"));
  EXPECT_EQ(Counted()->last.reason, "topic dead is for dead letters, not for events");
}

}  // namespace
}  // namespace outboxd
