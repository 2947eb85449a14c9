#include "sinks/kafka/kafka_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "sinks/kafka/kafka_client.h"

namespace outboxd::sinks {
namespace {

rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, const std::optional<std::string_view>& bytes) {
  rd_kafka_vu_t argument;
  argument.vtype = type;
  argument.u.mem.ptr = bytes ? AddressOf(*bytes) : nullptr;
  argument.u.mem.size = bytes ? bytes->size() : 0;
  return argument;
}

HeadersHandle MakeHeaders(std::span<const Header> headers) {
  HeadersHandle handle(rd_kafka_headers_new(headers.size()));
  for (const Header& header : headers) {
    rd_kafka_header_add(handle.get(), static_cast<const char*>(AddressOf(header.name)),
                        static_cast<ssize_t>(header.name.size()),
                        header.value ? AddressOf(*header.value) : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return handle;
}

// To librdkafka 0 is "now"; a replay must not send another time, so it becomes the next best.
std::int64_t TimestampOf(const Message& message) {
  if (!message.timestamp) return 0;
  return std::max<std::int64_t>(1, message.timestamp->count());
}

std::size_t BytesOf(const Message& message) {
  std::size_t bytes =
      (message.key ? message.key->size() : 0) + (message.value ? message.value->size() : 0);
  for (const Header& header : message.headers) {
    bytes += header.name.size() + (header.value ? header.value->size() : 0);
  }
  return bytes;
}

}  // namespace

Result<void> CheckRecord(const Message& message) {
  if (!message.timestamp || message.timestamp->count() >= 0) return {};
  return Fail(ErrorKind::kRejected,
              "topic {}: timestamp {} ms is before 1970, which Kafka does not take", message.topic,
              message.timestamp->count());
}

// Headers go as one handle that stays ours when it fails: librdkafka before 2.12 frees headers that
// it was given one by one twice when the partition does not exist (#4627).
ErrorHandle Produce(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition,
                    const Message& message, DeliveryId id) {
  HeadersHandle headers;
  if (!message.headers.empty()) headers = MakeHeaders(message.headers);
  std::array<rd_kafka_vu_t, 8> arguments;
  arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[0].u.rkt = topic;
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = partition;
  arguments[2] = Bytes(RD_KAFKA_VTYPE_KEY, message.key);
  arguments[3] = Bytes(RD_KAFKA_VTYPE_VALUE, message.value);
  arguments[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  arguments[4].u.i64 = TimestampOf(message);
  arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  arguments[5].u.ptr = reinterpret_cast<void*>(id);
  arguments[6].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[6].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[7].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[7].u.headers = headers.get();
  const std::size_t count = headers ? arguments.size() : arguments.size() - 1;
  ErrorHandle error(rd_kafka_produceva(client, arguments.data(), count));
  if (!error) static_cast<void>(headers.release());
  return error;
}

Error JudgeProduceError(const Message& message, rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {ErrorKind::kRejected,
              fmt::format("topic {}: a message of {} bytes does not fit into message.max.bytes",
                          message.topic, BytesOf(message)),
              "raise message.max.bytes in [kafka] and max.message.bytes of the topic, or make the "
              "event smaller"};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return {ErrorKind::kRejected, fmt::format("topic {}: {}", message.topic, Describe(code)),
              "grant this user the operations Write and Describe on it"};
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return {ErrorKind::kRejected, fmt::format("topic {}: {}", message.topic, Describe(code))};
    default:
      return {ErrorKind::kUnreachable, fmt::format("topic {}: {}", message.topic, Describe(code))};
  }
}

}  // namespace outboxd::sinks
