#include "daemon/relay/known_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "binlog/log_file_name.h"

namespace outboxd {
namespace {

constexpr std::chrono::minutes kBetweenMin{1};
constexpr std::chrono::minutes kBetweenMax{10};

}  // namespace

KnownLog::KnownLog(binlog::ServerProbe& probe, const ServerClock& server_clock, const Clock& clock)
    : probe_(probe), server_clock_(server_clock), clock_(clock) {}

// Files in front of one that was the last, now or when they were told, do not grow any more. That
// one is removed shows only in the list.
bool KnownLog::IsDue(const AcknowledgedPlace& place, const binlog::LogEnd& end) const {
  if (files_.empty()) return true;
  const auto since = clock_.Now() - asked_at_;
  if (since >= kBetweenMax) return true;
  const bool knows_end =
      std::ranges::find(files_, end.file, &binlog::LogFile::name) != files_.end();
  return since >= kBetweenMin && (!knows_end || place.needed_file != end.file);
}

binlog::Result<void> KnownLog::Learn(const AcknowledgedPlace& place, const binlog::LogEnd& end) {
  if (std::exchange(server_uuid_, place.server_uuid) != place.server_uuid) {
    files_.clear();
    begin_asked_of_.clear();
  }
  if (!IsDue(place, end)) return {};
  asked_at_ = clock_.Now();
  auto files = probe_.Files();
  if (!files) return std::unexpected(files.error());
  const auto expiry = probe_.Expiry();
  if (!expiry) return std::unexpected(expiry.error());
  files_ = std::move(*files);
  if (files_.empty()) return {};
  keeping_.expiry = *expiry;
  keeping_.oldest_file = files_.front().name;
  return LearnBegin();
}

// To know it takes a connection and a dump that is broken off, so that a server which removes a
// file every minute is not asked each time: until then the age is that of one a little older.
binlog::Result<void> KnownLog::LearnBegin() {
  if (begin_asked_of_ == keeping_.oldest_file) return {};
  if (begin_asked_of_.empty()) {
    oldest_begun_us_ = 0;
  } else if (clock_.Now() - begin_asked_at_ < kBetweenMax) {
    return {};
  }
  begin_asked_at_ = clock_.Now();
  const auto begun_us = probe_.BeginOf(keeping_.oldest_file);
  if (!begun_us && begun_us.error().kind == binlog::ErrorKind::kInterrupted) {
    return std::unexpected(begun_us.error());
  }
  // What else is known counts without it.
  if (!begun_us) {
    spdlog::debug("when {} was begun was not told: {}", keeping_.oldest_file,
                  begun_us.error().ToText());
    oldest_begun_us_ = 0;
    return {};
  }
  begin_asked_of_ = keeping_.oldest_file;
  oldest_begun_us_ = *begun_us;
  return {};
}

std::optional<std::uint64_t> KnownLog::BytesBetween(const AcknowledgedPlace& place,
                                                    const binlog::LogEnd& end) const {
  if (end.file == place.file) {
    // The server lost the end of its log, or began a new one.
    if (end.offset < place.offset) return std::nullopt;
    return end.offset - place.offset;
  }
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

std::optional<KeptLog> KnownLog::KeptFor(const AcknowledgedPlace& place) const {
  if (files_.empty()) return std::nullopt;
  KeptLog kept{.keeping = keeping_, .needed_file = place.needed_file};
  kept.is_gone = binlog::IsBefore(place.needed_file, keeping_.oldest_file);
  if (oldest_begun_us_ != 0) {
    const std::uint64_t now_us = std::max(server_clock_.Now(), oldest_begun_us_);
    kept.keeping.oldest_age = std::chrono::seconds((now_us - oldest_begun_us_) / 1'000'000);
  }
  return kept;
}

}  // namespace outboxd
