#include "daemon/relay/delivery_silence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class DeliverySilenceTest : public ::testing::Test {
 protected:
  void GoOnFor(milliseconds time) {
    for (; time > milliseconds(0); time -= milliseconds(100)) {
      clock_.Move(milliseconds(100));
      silence_.GoOn();
    }
  }

  FakeClock clock_;
  CapturedLog log_;
  Outages outages_{clock_};
  DeliverySilence silence_{"Kafka", clock_, outages_};
};

TEST_F(DeliverySilenceTest, IsToldOnceAndSoIsItsEnd) {
  GoOnFor(milliseconds(12'300));
  EXPECT_EQ(log_.lines(), 1);
  EXPECT_THAT(log_.text(), HasSubstr("Kafka has acknowledged nothing for 5 s"));
  silence_.End();
  silence_.End();
  EXPECT_EQ(log_.lines(), 2);
  EXPECT_THAT(log_.text(), HasSubstr("Kafka answers again after 12.3 s"));
}

TEST_F(DeliverySilenceTest, SaysWhatWasSaidOfTheConnections) {
  silence_.Complains("kafka-1:9092/1: Connect failed");
  GoOnFor(milliseconds(6'000));
  EXPECT_THAT(log_.text(), HasSubstr("none is lost: kafka-1:9092/1: Connect failed\n"));
  EXPECT_EQ(outages_.sink()->reason,
            "messages are on their way, and none is acknowledged: "
            "kafka-1:9092/1: Connect failed");
  silence_.Complains("kafka-2:9092/2: Connect failed");
  EXPECT_THAT(outages_.sink()->reason, HasSubstr("kafka-2:9092/2"));
  EXPECT_EQ(log_.lines(), 1);
}

TEST_F(DeliverySilenceTest, ThatThereIsNoConnectionIsToldThoughNothingWaits) {
  silence_.Complains("kafka-1:9092/1: Connect failed");
  silence_.Connects(false);
  clock_.Move(milliseconds(4'900));
  silence_.Connects(false);
  EXPECT_EQ(log_.lines(), 0) << "a broker that is restarted";
  clock_.Move(milliseconds(100));
  silence_.Connects(false);
  silence_.Rest();
  silence_.Connects(false);
  EXPECT_EQ(log_.lines(), 1);
  EXPECT_THAT(log_.text(), HasSubstr("Kafka cannot be reached; nothing waits for it yet:"
                                     " kafka-1:9092/1: Connect failed"));
  EXPECT_EQ(outages_.sink()->reason, "kafka-1:9092/1: Connect failed");
  clock_.Move(milliseconds(7'000));
  silence_.Connects(true);
  EXPECT_FALSE(outages_.sink());
  EXPECT_THAT(log_.text(), HasSubstr("Kafka answers again after 12.0 s"));
}

TEST_F(DeliverySilenceTest, AConnectionIsNoAnswerToWhatWaits) {
  GoOnFor(milliseconds(6'000));
  silence_.Connects(true);
  EXPECT_TRUE(outages_.sink());
  silence_.End();
  EXPECT_FALSE(outages_.sink());
}

TEST_F(DeliverySilenceTest, WhatWasSaidBeforeItAnsweredIsForgotten) {
  silence_.Complains("kafka-1:9092/1: Connect failed");
  silence_.Complains("");
  GoOnFor(milliseconds(6'000));
  EXPECT_EQ(outages_.sink()->reason, "messages are on their way, and none is acknowledged");
}

TEST_F(DeliverySilenceTest, ThatAMessageWasTakenBackIsNoAnswer) {
  GoOnFor(milliseconds(6'000));
  silence_.Rest();
  EXPECT_EQ(log_.lines(), 1);
  EXPECT_TRUE(outages_.sink());
  GoOnFor(milliseconds(6'000));
  EXPECT_EQ(log_.lines(), 1) << "it is told already";
  silence_.End();
  EXPECT_THAT(log_.text(), HasSubstr("Kafka answers again after 12.0 s"));
}

TEST_F(DeliverySilenceTest, WhereNothingIsOnItsWayNoAnswerIsDue) {
  for (int i = 0; i < 10; ++i) {
    GoOnFor(milliseconds(4'900));
    silence_.Rest();
  }
  EXPECT_EQ(log_.lines(), 0);
}

TEST_F(DeliverySilenceTest, AShortOneIsNoNews) {
  for (int i = 0; i < 10; ++i) {
    GoOnFor(milliseconds(4'900));
    silence_.End();
  }
  EXPECT_EQ(log_.lines(), 0);
}

}  // namespace
}  // namespace outboxd
