#include "daemon/relay/log_lag.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kInterval{10'000};
// While the acknowledged place is not known; the server is not asked.
constexpr milliseconds kPlaceCheck{1'000};
constexpr milliseconds kAnswerAgeMax{30'000};
// The list of a server with many files is work for it.
constexpr milliseconds kFilesInterval{60'000};

}  // namespace

LogLag::LogLag(binlog::LogEndSource& source, const DeliveryTracker& tracker, const Clock& clock)
    : source_(source), tracker_(tracker), clock_(clock) {}

Result<void> LogLag::Run() {
  while (true) {
    const milliseconds pause = Ask();
    std::unique_lock lock(mutex_);
    if (stop_changed_.wait_for(lock, pause, [this] { return stop_; })) return {};
  }
}

void LogLag::RequestStop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  source_.Interrupt();
}

std::optional<std::uint64_t> LogLag::bytes() const {
  const auto place = tracker_.acknowledged_place();
  const std::lock_guard lock(mutex_);
  if (!answer_ || !place || place->server_uuid != answer_->server_uuid) return std::nullopt;
  if (clock_.Now() - answer_->asked_at > kAnswerAgeMax) return std::nullopt;
  return answer_->bytes;
}

milliseconds LogLag::Ask() {
  const auto asked_at = clock_.Now();
  const auto place = tracker_.acknowledged_place();
  if (!place) {
    Keep(std::nullopt);
    return kPlaceCheck;
  }
  auto bytes = Measure(*place);
  // Between two questions a server, or what stands before it, may end a connection that is idle.
  if (!bytes && bytes.error().kind == binlog::ErrorKind::kDisconnected) bytes = Measure(*place);
  if (!bytes) {
    TellFailure(bytes.error());
    Keep(std::nullopt);
    return kInterval;
  }
  was_told_ = false;
  Keep(bytes->transform([&](std::uint64_t count) {
    return Answer{.bytes = count, .server_uuid = place->server_uuid, .asked_at = asked_at};
  }));
  return kInterval;
}

void LogLag::Keep(std::optional<Answer> answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

// Of an outage the reader tells.
void LogLag::TellFailure(const binlog::Error& error) {
  if (binlog::MayPass(error.kind) || error.kind == binlog::ErrorKind::kInterrupted) {
    spdlog::debug("the end of the binary log was not told: {}", error.ToText());
  } else if (!std::exchange(was_told_, true)) {
    spdlog::warn("how many bytes of the binary log are not acknowledged is not known: {}",
                 error.ToText());
  }
}

// None: it cannot be told by what the server answers.
binlog::Result<std::optional<std::uint64_t>> LogLag::Measure(const AcknowledgedPlace& place) {
  if (auto opened = source_.Open({.server_uuid = place.server_uuid, .host = place.host}); !opened) {
    return std::unexpected(opened.error());
  }
  auto end = source_.EndOfLog();
  if (!end) return std::unexpected(end.error());
  if (end->file == place.file) {
    // The server lost the end of its log, or began a new one.
    if (end->offset < place.offset) return std::nullopt;
    return end->offset - place.offset;
  }
  if (std::exchange(files_of_, place.server_uuid) != place.server_uuid) {
    files_.clear();
    next_files_ = {};
  }
  if (auto learned = LearnFiles(*end); !learned) return std::unexpected(learned.error());
  return BytesOver(place, *end);
}

// Files in front of one that was the last, now or when they were told, do not grow any more.
binlog::Result<void> LogLag::LearnFiles(const binlog::LogEnd& end) {
  const bool knows_end =
      std::ranges::find(files_, end.file, &binlog::LogFile::name) != files_.end();
  if (knows_end || clock_.Now() < next_files_) return {};
  next_files_ = clock_.Now() + kFilesInterval;
  auto files = source_.Files();
  if (!files) return std::unexpected(files.error());
  files_ = std::move(*files);
  return {};
}

std::optional<std::uint64_t> LogLag::BytesOver(const AcknowledgedPlace& place,
                                               const binlog::LogEnd& end) const {
  auto file = std::ranges::find(files_, place.file, &binlog::LogFile::name);
  if (file == files_.end() || file->end_offset < place.offset) return std::nullopt;
  std::uint64_t bytes = file->end_offset - place.offset;
  for (++file; file != files_.end(); ++file) {
    if (file->name == end.file) return bytes + end.offset;
    if (file->end_offset == 0) return std::nullopt;
    bytes += file->end_offset;
  }
  return std::nullopt;
}

}  // namespace outboxd
