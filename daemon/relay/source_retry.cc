#include "daemon/relay/source_retry.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "binlog/hint.h"
#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

constexpr std::chrono::milliseconds kBackOffFirst{100};
constexpr std::chrono::milliseconds kBackOffMax{15'000};
constexpr int kDamagedTimesMax = 3;
// A source that has been open for so long works, though there was nothing to read.
constexpr std::chrono::seconds kWorksAfter{60};

std::string AgeText(std::chrono::steady_clock::duration age) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return seconds < 120 ? fmt::format("{} s", seconds) : fmt::format("{} min", seconds / 60);
}

}  // namespace

bool IsWaitedOut(binlog::ErrorKind kind) {
  switch (kind) {
    case binlog::ErrorKind::kSpill:
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
      back_off_(kBackOffFirst, kBackOffMax, clock.WallMicroseconds()),
      has_answered_(options.has_answered) {}

void SourceRetry::Succeeded() {
  if (std::exchange(is_unrecorded_, false)) outages_.RecordIsStored();
  back_off_.Reset();
  damaged_times_ = 0;
  failure_.reset();
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
  const bool is_servers =
      error.kind != binlog::ErrorKind::kInterrupted && error.kind != binlog::ErrorKind::kSpill;
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
      const std::string next = fmt::format("; trying again in {} ms", step.pause.count());
      spdlog::warn("source: {}", binlog::BeforeHint(error.message, next));
      return step;
    }
    case binlog::ErrorKind::kUnknown:
      if (!has_answered_) break;
      return OnUnknown(error, *failure_);
    case binlog::ErrorKind::kSpill: {
      // Space may come back, or another directory with more of it: nothing is lost by waiting.
      const Step step = Pause();
      spdlog::error(
          "holding: {}; trying again in {} ms HINT: relay.spill-directory and"
          " relay.spill-bytes-max",
          error.message, step.pause.count());
      return step;
    }
    case binlog::ErrorKind::kUndecodable:
    case binlog::ErrorKind::kGone:
    case binlog::ErrorKind::kDiverged:
    case binlog::ErrorKind::kReplaced:
    case binlog::ErrorKind::kUnsuitable:
    case binlog::ErrorKind::kEnd:
      break;
  }
  return Fail(ExitCodeOf(error.kind), "{}", error.message);
}

Step SourceRetry::OnUnrecorded(const Error& error) {
  is_unrecorded_ = true;
  outages_.RecordFails(error.message);
  const Step step = Pause();
  spdlog::error("holding: an alarm cannot be recorded: {}; trying again in {} ms", error.message,
                step.pause.count());
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
  spdlog::error("source: nothing could be read for {}, waiting until this has passed: {}",
                AgeText(now - failure.since), error.message);
  return step;
}

// Damage on the way heals by reading again; damage in the file does not.
Result<Step> SourceRetry::OnDamage(const binlog::Error& error, const std::string& place) {
  damaged_times_ = place == damaged_place_ ? damaged_times_ + 1 : 1;
  damaged_place_ = place;
  if (damaged_times_ >= kDamagedTimesMax) {
    const std::string_view text = binlog::WithoutHint(error.message);
    const std::string hint(error.message.substr(text.size()));
    return Fail(ExitCode::kUndecodable, "{} (read {} times){}", text, damaged_times_,
                hint.empty() ? fmt::format(" HINT: 'outboxd inspect --server --from file:{}' shows"
                                           " what comes before it",
                                           place)
                             : hint);
  }
  const Step step = Pause();
  spdlog::warn("source: {}; reading it again in {} ms", binlog::WithoutHint(error.message),
               step.pause.count());
  return step;
}

}  // namespace outboxd
