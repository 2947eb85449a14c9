#pragma once

#include <cstddef>

#include "sinks/kafka/kafka_handles.h"

namespace outboxd::sinks {

// What an error in a delivery report says about the message. Internal to sinks/kafka/.
enum class Verdict {
  kRecordRefused,  // This record, or another of its batch, will be refused each time.
  kTopicRefused,   // Every message to this topic will be refused.
  kSpared,         // Another record of the batch was refused.
  kCollateral,     // Dropped because the producer failed or is being closed.
  kProducerFault,  // The producer's affair: publish again through a new one.
};

[[nodiscard]] Verdict JudgeDelivery(rd_kafka_resp_err_t code);

// Whether the broker's limit applies to the batch as a whole, so that smaller batches may pass.
[[nodiscard]] bool IsSizeLimit(rd_kafka_resp_err_t code);

}  // namespace outboxd::sinks
