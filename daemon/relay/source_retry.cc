#include "daemon/relay/source_retry.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/time_text.h"
#include "daemon/exit_code_of.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

constexpr int kDamagedTimesMax = 3;
// A source that has been open for so long works, though there was nothing to read.
constexpr std::chrono::seconds kWorksAfter{60};

std::string AgeText(std::chrono::steady_clock::duration age) {
  return DurationText(std::chrono::duration_cast<std::chrono::seconds>(age));
}

}  // namespace

bool IsWaitedOut(binlog::ErrorKind kind) {
  switch (kind) {
    case binlog::ErrorKind::kSpill:
    case binlog::ErrorKind::kTooLarge:
    case binlog::ErrorKind::kDisconnected:
    case binlog::ErrorKind::kUnknown:
    case binlog::ErrorKind::kDenied:
    case binlog::ErrorKind::kHandshake:
    case binlog::ErrorKind::kInterrupted:
      return true;
    default:
      return false;
  }
}

SourceRetry::SourceRetry(const Clock& clock, Outages& outages, Options options)
    : clock_(clock),
      options_(options),
      outages_(outages),
      back_off_(clock.WallMicroseconds()),
      has_answered_(options.has_answered) {}

void SourceRetry::Succeeded() {
  if (std::exchange(is_unrecorded_, false)) outages_.RecordIsStored();
  back_off_.Reset();
  damaged_times_ = 0;
  failure_.reset();
  outages_.HasRoom();
}

void SourceRetry::Opened() {
  has_answered_ = true;
  opened_at_ = clock_.Now();
  outages_.SourceAnswers();
}

// A source that opens and fails again, without anything read, has never worked in between.
SourceRetry::Failure& SourceRetry::NoteFailure() {
  const auto now = clock_.Now();
  if (opened_at_ && now - *opened_at_ >= kWorksAfter) failure_.reset();
  opened_at_.reset();
  if (!failure_) failure_ = Failure{.since = now, .since_us = clock_.WallMicroseconds()};
  return *failure_;
}

Result<Step> SourceRetry::OnError(const binlog::Error& error, const std::string& place) {
  const bool has_no_room =
      error.kind == binlog::ErrorKind::kSpill || error.kind == binlog::ErrorKind::kTooLarge;
  const bool is_servers = error.kind != binlog::ErrorKind::kInterrupted && !has_no_room;
  if (is_servers) outages_.SourceFails(error.message, NoteFailure().since_us);
  switch (error.kind) {
    case binlog::ErrorKind::kInterrupted:
      return Step{};
    case binlog::ErrorKind::kCorrupt:
      return OnDamage(error, place);
    case binlog::ErrorKind::kDenied:
    case binlog::ErrorKind::kHandshake:
      if (!has_answered_) break;
      [[fallthrough]];  // A password or certificate being rotated: it will be right again.
    case binlog::ErrorKind::kDisconnected: {
      const Step step = Pause();
      const std::string text =
          fmt::format("source: {}; trying again in {} ms", error.message, step.pause.count());
      Log(LogLevel::kWarning, {.notice = Notice::kSourceAway}, WithHint(text, error.hint));
      return step;
    }
    case binlog::ErrorKind::kUnknown:
      if (!has_answered_) break;
      return OnUnknown(error, *failure_);
    case binlog::ErrorKind::kSpill:
      return OnNoRoom(error.message, error.hint.empty()
                                         ? "relay.spill-directory and relay.spill-bytes-max"
                                         : error.hint);
    case binlog::ErrorKind::kTooLarge:
      return OnNoRoom(fmt::format("what comes next, after {}, needs more memory than the"
                                  " limit of this process leaves for it ({})",
                                  place, error.message),
                      "raise that limit, for example MemoryMax= in the relay's unit; 'outboxd"
                      " check' prints what it takes");
    case binlog::ErrorKind::kUndecodable:
    case binlog::ErrorKind::kGone:
    case binlog::ErrorKind::kDiverged:
    case binlog::ErrorKind::kReplaced:
    case binlog::ErrorKind::kUnsuitable:
    case binlog::ErrorKind::kEnd:
      break;
  }
  return std::unexpected(AsDaemonError(error));
}

// Space may come back, or a start with more of it: nothing is lost by waiting.
Step SourceRetry::OnNoRoom(const std::string& reason, const std::string& hint) {
  outages_.HasNoRoom(reason);
  const Step step = Pause();
  const std::string text =
      fmt::format("holding: {}; trying again in {} ms", reason, step.pause.count());
  Log(LogLevel::kError, {.notice = Notice::kHoldsForRoom}, WithHint(text, hint));
  return step;
}

Step SourceRetry::OnUnrecorded(const Error& error) {
  is_unrecorded_ = true;
  outages_.RecordFails(error.message);
  const Step step = Pause();
  const std::string text =
      fmt::format("holding: an alarm cannot be recorded: {}; trying again in {} ms", error.message,
                  step.pause.count());
  Log(LogLevel::kError, {.notice = Notice::kHoldsForRecord}, WithHint(text, error.hint));
  return step;
}

// It may last for long: one line when it comes, and one each interval.
Step SourceRetry::OnUnknown(const binlog::Error& error, Failure& failure) {
  const Step step = Pause();
  const auto now = clock_.Now();
  const bool is_new = failure.told != error.message;
  if (!is_new && now - failure.told_at < options_.tell_interval) return step;
  failure.told_at = now;
  failure.told = error.message;
  Log(LogLevel::kError, {.notice = Notice::kSourceAway},
      fmt::format("source: nothing could be read for {}, waiting until this has passed: {}",
                  AgeText(now - failure.since), error.ToText()));
  return step;
}

// Damage on the way heals by reading again; damage in the file does not.
Result<Step> SourceRetry::OnDamage(const binlog::Error& error, const std::string& place) {
  damaged_times_ = place == damaged_place_ ? damaged_times_ + 1 : 1;
  damaged_place_ = place;
  if (damaged_times_ >= kDamagedTimesMax) {
    auto failure =
        Fail(ExitCode::kUndecodable, "{} (read {} times)", error.message, damaged_times_);
    if (!error.hint.empty()) return std::move(failure).Hint("{}", error.hint);
    return std::move(failure).Hint(
        "'outboxd inspect --server --from file:{}' shows what comes before it", place);
  }
  const Step step = Pause();
  spdlog::warn("source: {}; reading it again in {} ms", error.message, step.pause.count());
  return step;
}

}  // namespace outboxd
