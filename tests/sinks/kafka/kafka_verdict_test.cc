#include "sinks/kafka/kafka_verdict.h"

#include <gtest/gtest.h>

namespace outboxd::sinks {
namespace {

TEST(KafkaVerdictTest, BrokerRefusesTheRecord) {
  for (const auto code :
       {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
        RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_INVALID_RECORD,
        RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT}) {
    EXPECT_EQ(JudgeDelivery(code), Verdict::kRecordRefused) << rd_kafka_err2name(code);
  }
}

TEST(KafkaVerdictTest, BrokerRefusesTheTopic) {
  EXPECT_EQ(JudgeDelivery(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), Verdict::kTopicRefused);
  EXPECT_EQ(JudgeDelivery(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION), Verdict::kTopicRefused);
}

TEST(KafkaVerdictTest, PurgedMessagesAreCollateral) {
  for (const auto code : {RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
                          RD_KAFKA_RESP_ERR__DESTROY, RD_KAFKA_RESP_ERR__FATAL}) {
    EXPECT_EQ(JudgeDelivery(code), Verdict::kCollateral) << rd_kafka_err2name(code);
  }
}

TEST(KafkaVerdictTest, OtherRecordsOfARefusedBatchAreSpared) {
  EXPECT_EQ(JudgeDelivery(static_cast<rd_kafka_resp_err_t>(-138)), Verdict::kSpared);
}

TEST(KafkaVerdictTest, WhatABrokerMaySayInPassingBlamesNoMessage) {
  for (const auto code :
       {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
        RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_INVALID_MSG,
        RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR_NO_ERROR}) {
    EXPECT_EQ(JudgeDelivery(code), Verdict::kProducerFault) << rd_kafka_err2name(code);
  }
}

}  // namespace
}  // namespace outboxd::sinks
