#pragma once

#include <cstdint>
#include <string_view>

#include "sinks/error.h"
#include "sinks/kafka/kafka_handles.h"
#include "sinks/message.h"

namespace outboxd::sinks {

// A message as a record of Kafka. Internal to sinks/kafka/.

// The address of bytes that are there, also where they are none: librdkafka takes a null pointer
// for "no key" and "no value", whatever the size.
[[nodiscard]] inline void* AddressOf(std::string_view bytes) {
  return const_cast<char*>(bytes.data() == nullptr ? "" : bytes.data());
}

// kRejected: no record can hold what the message holds.
[[nodiscard]] Result<void> CheckRecord(const Message& message);

// Copies the message into the queue of `client`; does not wait. Null: it is in the queue, and its
// delivery report will carry `id`. Otherwise what librdkafka says, and nothing of the message is
// kept; for what is neither fatal nor a full queue JudgeProduceError() says what it means.
[[nodiscard]] ErrorHandle Produce(rd_kafka_t* client, rd_kafka_topic_t* topic,
                                  std::int32_t partition, const Message& message, DeliveryId id);

// What librdkafka refused on the spot and for this message alone. kRejected: it will be refused
// each time. kUnreachable: try again.
[[nodiscard]] Error JudgeProduceError(const Message& message, rd_kafka_resp_err_t code);

}  // namespace outboxd::sinks
