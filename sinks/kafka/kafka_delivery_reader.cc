#include "sinks/kafka/kafka_delivery_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "sinks/kafka/kafka_verdict.h"

namespace outboxd::sinks {
namespace {

constexpr int kLogLevelWarning = 4;
constexpr int kEventsPerReadMax = 256;
// How long what is still on its way is waited for, in all and since the last sign of it.
constexpr std::chrono::milliseconds kSettleMax{1000};
constexpr std::chrono::milliseconds kSettleQuietMax{200};
// A refused batch is cut into so many parts for the next attempt.
constexpr std::size_t kBatchCut = 4;

// What is added to the eventfd.
constexpr std::uint64_t kEventCame = 1;
constexpr std::uint64_t kWoken = std::uint64_t{1} << 32;

static_assert(sizeof(void*) >= sizeof(DeliveryId), "a delivery id travels as a pointer");

DeliveryId IdOf(const rd_kafka_message_t& message) {
  return reinterpret_cast<DeliveryId>(message._private);
}

// Where a batch fails and the one sent behind it succeeds, librdkafka takes the first for delivered
// as well ("implicitly acked", rd_kafka_handle_Produce() in rdkafka_request.c), for a broker takes
// no batch out of its sequence. A topic that was deleted and made again has no sequence yet and
// takes any: then the first batch is nowhere. Only what the broker itself confirmed has an offset.
bool IsPersisted(const rd_kafka_message_t& message) {
  return message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset >= 0 &&
         rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_PERSISTED;
}

// As it is in force, whoever set it; 0: the library does not tell.
std::uint64_t QueueMessagesMax(const rd_kafka_t* client) {
  std::array<char, 32> text{};
  std::size_t size = text.size();
  const auto got = rd_kafka_conf_get(rd_kafka_conf(const_cast<rd_kafka_t*>(client)),
                                     "queue.buffering.max.messages", text.data(), &size);
  std::uint64_t messages = 0;
  if (got == RD_KAFKA_CONF_OK) {
    std::from_chars(text.data(), text.data() + std::strlen(text.data()), messages);
  }
  return messages;
}

std::string_view HintFor(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "raise the topic's max.message.bytes and the brokers' "
             "replica.fetch.max.bytes, or make the event smaller";
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return "raise the topic's segment.bytes, or make the event smaller";
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return "see the clock of this machine (or the column that `timestamp` names), and the "
             "topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms";
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return "a compacted topic takes no event without a key";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "grant this user the operations Write and Describe on the topic";
    default:
      return "";
  }
}

}  // namespace

DeliveryReader::DeliveryReader(rd_kafka_t* client, rd_kafka_queue_t* events, PartitionGate& gate,
                               const ClientHost& host, BatchLimits limits)
    : client_(client),
      events_(events),
      gate_(gate),
      host_(host),
      messages_max_(QueueMessagesMax(client)),
      signal_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      limits_(limits) {
  // Without a descriptor the queue is asked at the end of each wait.
  if (signal_ >= 0) {
    rd_kafka_queue_io_event_enable(events_, signal_, &kEventCame, sizeof kEventCame);
  }
}

DeliveryReader::~DeliveryReader() {
  if (signal_ < 0) return;
  rd_kafka_queue_io_event_enable(events_, -1, nullptr, 0);
  close(signal_);
}

void DeliveryReader::Wake() {
  // It fails only where so many stand in it that it wakes anyway.
  static_cast<void>(!write(signal_, &kWoken, sizeof kWoken));
}

bool DeliveryReader::Read(std::chrono::milliseconds timeout, DeliveryReports& reports) {
  room_ = false;
  for (int i = 0; i < kEventsPerReadMax && TakeEvent(timeout, reports); ++i) {
    timeout = std::chrono::milliseconds(0);
  }
  if (failed()) Settle(reports);
  LookAtConnections(reports);
  // What was accepted meanwhile may be reported before it is counted.
  const std::uint64_t accepted = accepted_bytes_.load(std::memory_order_relaxed);
  reports.in_flight_bytes = accepted - std::min(accepted, ended_bytes_);
  reports.in_flight_max = messages_max_;
  return room_;
}

void DeliveryReader::LookAtConnections(DeliveryReports& reports) {
  constexpr std::chrono::seconds kInterval{1};
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + kInterval;
  reports.is_connected = host_.connections.AnyEstablished();
}

// Null: none came, or Wake().
EventHandle DeliveryReader::NextEvent(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    EventHandle event(rd_kafka_queue_poll(events_, 0));
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (event || left.count() <= 0) return event;
    pollfd descriptor{.fd = signal_, .events = POLLIN, .revents = 0};
    poll(&descriptor, 1, Milliseconds(left));
    std::uint64_t signals = 0;
    if (read(signal_, &signals, sizeof signals) == sizeof signals && signals >= kWoken) return {};
  }
}

bool DeliveryReader::TakeEvent(std::chrono::milliseconds timeout, DeliveryReports& reports) {
  const EventHandle event = NextEvent(timeout);
  if (!event) return false;
  switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_DR:
      TakeBatch(event.get(), reports);
      break;
    case RD_KAFKA_EVENT_ERROR: {
      std::string text;
      if (auto error = JudgeErrorEvent(event.get(), text); error && !fatal_) {
        fatal_ = *std::move(error);
        failed_.store(true, std::memory_order_release);
      }
      if (host_.log) host_.log(kLogLevelWarning, text);
      const bool says_why = SaysWhy(event.get());
      if (says_why || !has_said_why_) reports.complaint = std::move(text);
      has_said_why_ = has_said_why_ || says_why;
      break;
    }
    default:
      break;
  }
  return true;
}

// One event carries one batch: what one ProduceRequest held for one partition, or what was purged
// of one partition.
void DeliveryReader::TakeBatch(rd_kafka_event_t* event, DeliveryReports& reports) {
  std::array<const rd_kafka_message_t*, 256> messages;
  const std::size_t delivered_before = reports.delivered.size();
  const rd_kafka_message_t* last_delivered = nullptr;
  refused_.clear();
  spared_count_ = 0;
  while (const std::size_t count =
             rd_kafka_event_message_array(event, messages.data(), messages.size())) {
    for (const rd_kafka_message_t* message : std::span(messages.data(), count)) {
      ended_bytes_ += message->len + message->key_len;
      if (IsPersisted(*message)) {
        reports.delivered.push_back(IdOf(*message));
        last_delivered = message;
      } else {
        TakeFailure(*message);
      }
    }
  }
  room_ = true;
  // Of all in the batch it waited least before it was sent.
  if (last_delivered != nullptr) {
    const std::chrono::microseconds latency(rd_kafka_message_latency(last_delivered));
    reports.round_trip = std::min(reports.round_trip.value_or(latency), latency);
  }
  if (reports.delivered.size() > delivered_before) has_said_why_ = false;
  gate_.Acknowledge(std::span(reports.delivered).subspan(delivered_before));
  if (!refused_.empty()) JudgeBatch(reports);
}

void DeliveryReader::TakeFailure(const rd_kafka_message_t& message) {
  failed_.store(true, std::memory_order_release);
  const char* topic = message.rkt == nullptr ? "?" : rd_kafka_topic_name(message.rkt);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    Fail(ErrorKind::kProducerLost,
         fmt::format("topic {} partition {}: the broker confirmed a message but not the one before",
                     topic, message.partition));
    return;
  }
  switch (JudgeDelivery(message.err)) {
    case Verdict::kRecordRefused:
    case Verdict::kTopicRefused:
      refused_.push_back({IdOf(message), message.err, topic, message.len + message.key_len});
      return;
    case Verdict::kSpared:
      ++spared_count_;
      return;
    case Verdict::kCollateral:
      return;
    case Verdict::kProducerFault:
      Fail(ErrorKind::kProducerLost, fmt::format("a delivery to topic {} partition {} failed: {}",
                                                 topic, message.partition, Describe(message.err)));
      return;
  }
}

void DeliveryReader::JudgeBatch(DeliveryReports& reports) {
  const Refusal& first = refused_.front();
  const std::string what =
      fmt::format("topic {} refused a delivery: {}", first.topic, Describe(first.code));
  const bool is_certain = refused_.size() == 1 || spared_count_ > 0 ||
                          JudgeDelivery(first.code) == Verdict::kTopicRefused;
  if (!is_certain) {
    ShrinkBatches(first.code);
    Fail(ErrorKind::kProducerLost,
         fmt::format("{}; it names none of the batch's {} messages, so the next producer sends "
                     "smaller batches",
                     what, refused_.size()));
    return;
  }
  for (const Refusal& refusal : refused_) {
    reports.failed.push_back(
        {refusal.id, Error{ErrorKind::kRejected,
                           fmt::format("topic {}: the broker refuses a message of {} bytes: {}",
                                       refusal.topic, refusal.bytes, Describe(refusal.code)),
                           std::string(HintFor(refusal.code))}});
  }
  Fail(ErrorKind::kProducerLost, what);
}

void DeliveryReader::ShrinkBatches(rd_kafka_resp_err_t code) {
  std::size_t bytes = 0;
  for (const Refusal& refusal : refused_) bytes += refusal.bytes;
  if (IsSizeLimit(code)) {
    limits_.bytes_max = std::max<std::size_t>(1, bytes / kBatchCut);
  } else {
    limits_.messages_max = 1;
  }
}

// The first failure is the reason; what follows it is mostly its consequence.
void DeliveryReader::Fail(ErrorKind kind, std::string text) {
  if (!reason_) reason_ = Error{kind, std::move(text)};
}

void DeliveryReader::Settle(DeliveryReports& reports) {
  // After a fatal error librdkafka purges its queues itself; otherwise it would send on.
  if (!fatal_) rd_kafka_purge(client_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
  const auto deadline = std::chrono::steady_clock::now() + kSettleMax;
  while (rd_kafka_outq_len(client_) > 0 && std::chrono::steady_clock::now() < deadline) {
    if (!TakeEvent(kSettleQuietMax, reports)) break;
  }
  if (fatal_ && fatal_->kind == ErrorKind::kDenied) {
    reports.lost = *fatal_;
  } else if (reason_) {
    reports.lost = *reason_;
  } else if (fatal_) {
    reports.lost = *fatal_;
  } else {
    reports.lost = Error{ErrorKind::kProducerLost, "deliveries were dropped without a reason"};
  }
}

}  // namespace outboxd::sinks
