#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/error.h"
#include "sinks/message.h"
#include "sinks/sink_request.h"

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
  // What the client said last of its connections to the servers, where it said something: it goes
  // on trying by itself.
  std::string complaint = {};
  // Whether a connection to the servers stands, now and then where the sink knows.
  std::optional<bool> is_connected = {};
  // The shortest time that one of `delivered` took, where it is measured.
  std::optional<std::chrono::microseconds> round_trip = {};
  // Keys and values that are accepted and not reported yet, as of the end of the poll.
  std::uint64_t in_flight_bytes = 0;
  // How many messages may be, where the sink bounds them; 0: not known.
  std::uint64_t in_flight_max = 0;

  void Clear() {
    delivered.clear();
    failed.clear();
    lost.reset();
    complaint.clear();
    is_connected.reset();
    round_trip.reset();
    in_flight_bytes = in_flight_max = 0;
  }
};

// What Open() found where messages go.
struct OpenedSink {
  std::string identity;  // Of what is written to: Kafka's cluster id; empty where there is none.
  // Whether the sink keeps the relay's checkpoints with the messages (AtBoundary()), and the one
  // that became visible last; none: there has never been one.
  bool keeps_checkpoints = false;
  std::optional<std::string> checkpoint = {};
};

// A place at which the relay can go on: between two units (transaction, chunk), or behind a row
// inside a large transaction.
class Boundary {
 public:
  // The checkpoint once everything that was published is delivered, as bytes. It is not free: to be
  // asked for only where it is kept.
  [[nodiscard]] virtual std::string Checkpoint() const = 0;
  // No other one comes after it: what can become visible has to now.
  [[nodiscard]] virtual bool is_last() const = 0;

 protected:
  ~Boundary() = default;
};

// What Publish() answers where SinkRequest::may_publish says no.
[[nodiscard]] inline Failure<ErrorKind> TopicIsNotAllowed(std::string_view topic) {
  return Fail(ErrorKind::kRejected, "topic {} is not among the allowed", topic)
      .Hint("add it to the key allow of [topics]");
}

enum class PublishOutcome {
  kAccepted,  // A report with the message's id will follow, unless the producer is lost.
  kFull,      // The queue is full: wait with WaitForRoom() and publish the same message again.
};

// Takes messages to where they are consumed and reports each delivery exactly once.
//
// Messages for one partition of a topic become visible in the order in which they were accepted.
// Where one of them is refused after that, nothing behind it goes out: no message that was accepted
// later for the same partition becomes visible through this producer. The refusal ends the producer
// as a whole (DeliveryReports::lost), and the caller publishes again, in order, what is not
// reported as delivered. In other partitions later messages may be visible by then. What Publish()
// itself does not accept has no place in the order: whoever publishes another message next lets it
// overtake.
//
// Two threads use a sink: the reader thread (Open, Publish, AtBoundary, WaitForRoom, Close) and the
// acknowledgement thread (Poll). Open() may be called again after Close() or a lost producer; no
// report of an earlier producer comes after Close() or after Open() has begun.
class Sink {
 public:
  virtual ~Sink() = default;

  // What counts from the next Open() on. Whether a producer that is open should give way to a new
  // one: false, where that would be no other. kConfiguration: refused, and nothing changes. Any
  // thread.
  [[nodiscard]] virtual Result<bool> Configure(SinkRequest) { return false; }

  // Makes a new producer; what an earlier one still held is dropped without a report, and will
  // never become visible where checkpoints are kept. Waits up to `timeout` for the servers.
  [[nodiscard]] virtual Result<OpenedSink> Open(std::chrono::milliseconds timeout) = 0;

  // Copies the message into the queue. kRejected: it can never be delivered as things stand (too
  // large, illegal, forbidden or missing topic). kUnreachable: could not find out, try again.
  // kProducerLost, kClosed: only Open() helps; Poll() has told or will tell what it knows of why.
  // While a failure is being looked into, the answer is kFull.
  [[nodiscard]] virtual Result<PublishOutcome> Publish(const Message& message, DeliveryId id) = 0;

  // Called at boundaries, as often as there is something new. A sink that keeps checkpoints may
  // make visible here what was published since it last did, together with the boundary's
  // checkpoint: all of it or nothing. Only then it reports these messages as delivered. Errors as
  // Publish(); whether they became visible is known from the next Open() then. kFull: ask again
  // before anything else is published. Others do nothing.
  [[nodiscard]] virtual Result<PublishOutcome> AtBoundary(const Boundary&) {
    return PublishOutcome::kAccepted;
  }

  // Waits until the queue may have room again, at most for `timeout`.
  virtual void WaitForRoom(std::chrono::milliseconds timeout) = 0;

  // Appends what has come to an end to `reports`; waits up to `timeout` for the first. After
  // Wake() it returns at once.
  virtual void Poll(std::chrono::milliseconds timeout, DeliveryReports& reports) = 0;

  // Makes the Poll() that is waiting and the one after it return at once. Any thread.
  virtual void Wake() = 0;

  // Drops the producer and all it holds: no report of it comes afterwards, and until Open() Poll()
  // brings nothing. Idempotent.
  virtual void Close() = 0;
};

}  // namespace outboxd::sinks
