#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_handles.h"
#include "sinks/kafka/kafka_partition_gate.h"
#include "sinks/sink.h"
#include "sinks/sink_log.h"

namespace outboxd::sinks {

// Turns the events of one producer into delivery reports, and its first failure into the end of
// the producer. Internal to sinks/kafka/; one per producer, which it must not outlive.
//
// What librdkafka does (2.0.2 and 2.15, rd_kafka_handle_Produce_error() in rdkafka_request.c): on a
// permanent error of a batch, with enable.gapless.guarantee, it first enqueues the fatal error
// (_GAPLESS_GUARANTEE), then orders its main thread to purge the queues, then enqueues the batch's
// delivery report with the broker's error. So the fatal error comes before its cause, and the
// reports of purged messages (_PURGE_QUEUE) before or after it. Other failed deliveries
// (rdkafka_broker.c, RD_KAFKA_OP_PARTITION_LEAVE: _UNKNOWN_PARTITION) come without a fatal error,
// and the messages behind them are sent.
//
// librdkafka's own waits end at a time of day: one that is under way when the clock is set back by
// an hour takes an hour longer. So its queue is only asked, and waited for by poll(2).
class DeliveryReader {
 public:
  // All but `limits` are borrowed.
  DeliveryReader(rd_kafka_t* client, rd_kafka_queue_t* events, PartitionGate& gate,
                 const ClientHost& host, BatchLimits limits);
  ~DeliveryReader();
  DeliveryReader(const DeliveryReader&) = delete;
  DeliveryReader& operator=(const DeliveryReader&) = delete;

  // Appends what has come to an end; waits up to `timeout` for the first. On the first failure it
  // goes on for up to a second, until nothing is on its way, and sets `lost`. Acknowledgement
  // thread only. Returns whether the queue got room.
  [[nodiscard]] bool Read(std::chrono::milliseconds timeout, DeliveryReports& reports);

  // A message of so many bytes is on its way. Reader thread.
  void CountAccepted(std::size_t bytes) {
    accepted_bytes_.store(accepted_bytes_.load(std::memory_order_relaxed) + bytes,
                          std::memory_order_relaxed);
  }

  // Makes Read() return, or the next one where none is under way. Any thread.
  void Wake();

  // Whether a delivery failed: nothing more may be published. Any thread.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }

  // The bounds that the next producer should keep to. Acknowledgement thread only.
  [[nodiscard]] const BatchLimits& limits() const { return limits_; }

 private:
  struct Refusal {
    DeliveryId id;
    rd_kafka_resp_err_t code;
    std::string topic;
    std::size_t bytes;
  };

  bool TakeEvent(std::chrono::milliseconds timeout, DeliveryReports& reports);
  [[nodiscard]] EventHandle NextEvent(std::chrono::milliseconds timeout);
  void TakeBatch(rd_kafka_event_t* event, DeliveryReports& reports);
  void TakeFailure(const rd_kafka_message_t& message);
  void JudgeBatch(DeliveryReports& reports);
  void ShrinkBatches(rd_kafka_resp_err_t code);
  void Settle(DeliveryReports& reports);
  void LookAtConnections(DeliveryReports& reports);
  void Fail(ErrorKind kind, std::string text);

  // Constant after construction.
  rd_kafka_t* const client_;
  rd_kafka_queue_t* const events_;
  PartitionGate& gate_;
  const ClientHost& host_;
  const std::uint64_t messages_max_;  // On their way at once.
  const int signal_;  // An eventfd that librdkafka adds 1 to when its queue is empty no longer.

  std::atomic<bool> failed_ = false;
  std::atomic<std::uint64_t> accepted_bytes_ = 0;  // Stored by the reader thread only.

  // Acknowledgement thread only.
  BatchLimits limits_;
  std::uint64_t ended_bytes_ = 0;                      // Of accepted_bytes_.
  std::chrono::steady_clock::time_point next_look_{};  // At the connections.
  std::optional<Error> fatal_;                         // What librdkafka says: right, but not why.
  std::optional<Error> reason_;                        // What the first failed delivery says.
  bool room_ = false;
  bool has_said_why_ = false;  // A complaint, since a message was delivered last.
  // Of the batch that is being read.
  std::vector<Refusal> refused_;
  std::size_t spared_count_ = 0;
};

}  // namespace outboxd::sinks
