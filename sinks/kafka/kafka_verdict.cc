#include "sinks/kafka/kafka_verdict.h"

namespace outboxd::sinks {
namespace {

// RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD, which came with librdkafka 2.4.0.
constexpr int kInvalidDifferentRecord = -138;

}  // namespace

// Unknown topic and unknown partition are not here: a broker that is starting reports them for
// topics that exist. Publishing again looks the topic up and decides.
Verdict JudgeDelivery(rd_kafka_resp_err_t code) {
  if (static_cast<int>(code) == kInvalidDifferentRecord) return Verdict::kSpared;
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return Verdict::kRecordRefused;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return Verdict::kTopicRefused;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__FATAL:
      return Verdict::kCollateral;
    default:
      return Verdict::kProducerFault;
  }
}

bool IsSizeLimit(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
         code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

}  // namespace outboxd::sinks
