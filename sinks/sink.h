#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sinks/error.h"
#include "sinks/message.h"

namespace outboxd::sinks {

struct FailedDelivery {
  DeliveryId id;
  Error error;
};

// What one Poll() brought. Reused between polls, so that steady work allocates nothing.
struct DeliveryReports {
  std::vector<DeliveryId> delivered;
  // The bad events: messages that were refused for good (kRejected), never those that merely went
  // down with their producer. `lost` comes with them or later.
  std::vector<FailedDelivery> failed;
  // Set when the producer as a whole is unusable (kProducerLost, kDenied, kClosed). Whatever is
  // not in `delivered` up to here is to be published again through a new producer.
  std::optional<Error> lost;

  void Clear() {
    delivered.clear();
    failed.clear();
    lost.reset();
  }
};

enum class PublishOutcome {
  kAccepted,  // A report with the message's id will follow, unless the producer is lost.
  kFull,      // The queue is full: wait with WaitForRoom() and publish the same message again.
};

// Takes messages to where they are consumed and reports each delivery exactly once.
//
// Two threads use a sink: the reader thread (Open, Publish, WaitForRoom, Close) and the
// acknowledgement thread (Poll). Open() may be called again after Close() or a lost producer; no
// report of an earlier producer comes after Open() has begun.
class Sink {
 public:
  virtual ~Sink() = default;

  // Makes a new producer; what an earlier one still held is dropped without a report. Waits up to
  // `timeout` for the servers. Returns the identity of what is written to: Kafka's cluster id,
  // empty where there is none.
  [[nodiscard]] virtual Result<std::string> Open(std::chrono::milliseconds timeout) = 0;

  // Copies the message into the queue. kRejected: it can never be delivered as things stand (too
  // large, illegal, forbidden or missing topic). kUnreachable: could not find out, try again.
  // kProducerLost, kClosed: only Open() helps; Poll() has told or will tell what it knows of why.
  // While a failure is being looked into, the answer is kFull.
  [[nodiscard]] virtual Result<PublishOutcome> Publish(const Message& message, DeliveryId id) = 0;

  // Waits until the queue may have room again, at most for `timeout`.
  virtual void WaitForRoom(std::chrono::milliseconds timeout) = 0;

  // Appends what has come to an end to `reports`; waits up to `timeout` for the first. After
  // Wake() it returns at once.
  virtual void Poll(std::chrono::milliseconds timeout, DeliveryReports& reports) = 0;

  // Makes the Poll() that is waiting and the one after it return at once. Any thread.
  virtual void Wake() = 0;

  // Drops the producer and all it holds. Idempotent.
  virtual void Close() = 0;
};

}  // namespace outboxd::sinks
