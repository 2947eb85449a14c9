#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/sink.h"

namespace outboxd::sinks {

// The message as one JSON object on one line, with the line's end:
//
//   {"topic":"orders","partition":null,"key":"7","headers":[["id","42"]],"value":"{...}"}
//
// `partition` is null when it is left to the key; a key or value that is missing is null. Bytes
// that are not UTF-8 stand as base64 under "key_base64", "value_base64" in place of "key", "value";
// in a header as the object {"base64":"..."} in place of the string.
[[nodiscard]] std::string JsonLine(const Message& message);

// Writes messages to a file descriptor, one JSON line each. A message counts as delivered when
// write(2) has taken its whole line. A full pipe is kFull, so that the reader thread is never held
// by a slow consumer and can be stopped; the line goes on when the same message comes again.
//
// The process must ignore SIGPIPE: a consumer that has gone away is lost{kClosed} then.
class StdoutSink final : public Sink {
 public:
  // `descriptor` is borrowed. `may_publish`: as in SinkRequest, but asked for each message.
  explicit StdoutSink(int descriptor, std::function<bool(std::string_view topic)> may_publish = {})
      : descriptor_(descriptor), may_publish_(std::move(may_publish)) {}

  // Always succeeds with an empty identity.
  [[nodiscard]] Result<OpenedSink> Open(std::chrono::milliseconds timeout) override;

  // kClosed: the other end is gone. kUnreachable: the write failed, as on a full disk. kRejected:
  // events may not go to this topic.
  [[nodiscard]] Result<PublishOutcome> Publish(const Message& message, DeliveryId id) override;

  void WaitForRoom(std::chrono::milliseconds timeout) override;
  void Poll(std::chrono::milliseconds timeout, DeliveryReports& reports) override;
  void Wake() override;
  void Close() override;

 private:
  [[nodiscard]] Result<PublishOutcome> WritePending();
  void Report(DeliveryId id);
  void ReportLost(const Error& error);

  // Constant after construction.
  const int descriptor_;
  const std::function<bool(std::string_view topic)> may_publish_;

  // Reader thread only.
  std::string line_;                   // The line that is being written,
  std::size_t written_ = 0;            // so far,
  std::optional<DeliveryId> line_id_;  // and whose it is; none: its message was given up.

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<DeliveryId> delivered_;
  std::optional<Error> lost_;
  bool woken_ = false;
};

}  // namespace outboxd::sinks
