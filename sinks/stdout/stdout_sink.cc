#include "sinks/stdout/stdout_sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/utf8.h"

namespace outboxd::sinks {
namespace {

// A pipe that poll(2) calls writable takes this much without blocking (pipe(7)).
constexpr std::size_t kWriteBytesMax = PIPE_BUF;

using Json = nlohmann::ordered_json;

void AddBytes(Json& object, const std::string& name, const std::optional<std::string_view>& bytes) {
  if (!bytes) {
    object[name] = nullptr;
  } else if (IsUtf8(*bytes)) {
    object[name] = *bytes;
  } else {
    object[name + "_base64"] = Base64(*bytes);
  }
}

Json HeaderPart(std::string_view bytes) {
  if (IsUtf8(bytes)) return bytes;
  return {{"base64", Base64(bytes)}};
}

int PollMilliseconds(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kMax{std::numeric_limits<int>::max()};
  return static_cast<int>(std::clamp(duration, std::chrono::milliseconds(0), kMax).count());
}

// Ready also means an error, which the write will tell.
bool IsReady(int descriptor, std::chrono::milliseconds timeout) {
  pollfd wanted{descriptor, POLLOUT, 0};
  return ::poll(&wanted, 1, PollMilliseconds(timeout)) > 0;
}

}  // namespace

std::string JsonLine(const Message& message) {
  Json object;
  AddBytes(object, "topic", message.topic);
  if (message.partition) {
    object["partition"] = *message.partition;
  } else {
    object["partition"] = nullptr;
  }
  AddBytes(object, "key", message.key);
  Json headers = Json::array();
  for (const Header& header : message.headers) {
    Json value = header.value ? HeaderPart(*header.value) : Json();
    headers.push_back(Json::array({HeaderPart(header.name), std::move(value)}));
  }
  object["headers"] = std::move(headers);
  AddBytes(object, "value", message.value);
  return object.dump() + '\n';
}

Result<OpenedSink> StdoutSink::Open(std::chrono::milliseconds /*timeout*/) {
  Close();
  return OpenedSink{};
}

Result<PublishOutcome> StdoutSink::Publish(const Message& message, DeliveryId id) {
  if (may_publish_ && !may_publish_(message.topic)) return TopicIsNotAllowed(message.topic);
  std::string line = JsonLine(message);
  if (!line_.empty() && (line_id_ != id || line_ != line)) {
    // Its message was given up after a part of the line was out: the consumer gets a whole line.
    line_id_.reset();
    const auto written = WritePending();
    if (!written || *written == PublishOutcome::kFull) return written;
  }
  if (line_.empty()) line_ = std::move(line);
  line_id_ = id;
  return WritePending();
}

Result<PublishOutcome> StdoutSink::WritePending() {
  while (written_ < line_.size()) {
    if (!IsReady(descriptor_, std::chrono::milliseconds(0))) return PublishOutcome::kFull;
    const std::size_t wanted = std::min(line_.size() - written_, kWriteBytesMax);
    const ssize_t taken = ::write(descriptor_, line_.data() + written_, wanted);
    if (taken >= 0) {
      written_ += static_cast<std::size_t>(taken);
    } else if (errno == EAGAIN) {
      return PublishOutcome::kFull;
    } else if (errno == EPIPE) {
      const Error closed{ErrorKind::kClosed, "the reader of the output is gone"};
      ReportLost(closed);
      return std::unexpected(closed);
    } else if (errno != EINTR) {
      return Fail(ErrorKind::kUnreachable, "cannot write to the output: {}",
                  std::generic_category().message(errno));
    }
  }
  line_.clear();
  written_ = 0;
  if (line_id_) Report(*line_id_);
  line_id_.reset();
  return PublishOutcome::kAccepted;
}

void StdoutSink::Report(DeliveryId id) {
  const std::scoped_lock lock(mutex_);
  delivered_.push_back(id);
  changed_.notify_all();
}

void StdoutSink::ReportLost(const Error& error) {
  const std::scoped_lock lock(mutex_);
  lost_ = error;
  changed_.notify_all();
}

void StdoutSink::WaitForRoom(std::chrono::milliseconds timeout) {
  static_cast<void>(IsReady(descriptor_, timeout));
}

void StdoutSink::Poll(std::chrono::milliseconds timeout, DeliveryReports& reports) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return woken_ || lost_ || !delivered_.empty(); });
  woken_ = false;
  reports.delivered.insert(reports.delivered.end(), delivered_.begin(), delivered_.end());
  delivered_.clear();
  if (lost_) reports.lost = std::exchange(lost_, std::nullopt);
}

void StdoutSink::Wake() {
  const std::scoped_lock lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void StdoutSink::Close() {
  line_id_.reset();
  const std::scoped_lock lock(mutex_);
  delivered_.clear();
  lost_.reset();
}

}  // namespace outboxd::sinks
