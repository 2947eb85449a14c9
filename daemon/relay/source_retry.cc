#include "daemon/relay/source_retry.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

constexpr std::chrono::milliseconds kBackOffFirst{100};
constexpr std::chrono::milliseconds kBackOffMax{15'000};
constexpr int kDamagedTimesMax = 3;

}  // namespace

SourceRetry::SourceRetry(const Clock& clock, Outages& outages)
    : outages_(outages), back_off_(kBackOffFirst, kBackOffMax, clock.WallMicroseconds()) {}

void SourceRetry::Succeeded() {
  if (std::exchange(is_unrecorded_, false)) outages_.RecordIsStored();
  back_off_.Reset();
  damaged_times_ = 0;
}

void SourceRetry::Opened() {
  was_open_ = true;
  outages_.SourceAnswers();
}

Result<Step> SourceRetry::OnError(const binlog::Error& error, const std::string& place) {
  const bool is_servers =
      error.kind != binlog::ErrorKind::kInterrupted && error.kind != binlog::ErrorKind::kSpill;
  if (is_servers) outages_.SourceFails(error.message);
  switch (error.kind) {
    case binlog::ErrorKind::kInterrupted:
      return Step{};
    case binlog::ErrorKind::kCorrupt:
      return OnDamage(error, place);
    case binlog::ErrorKind::kDenied:
    case binlog::ErrorKind::kHandshake:
      if (!was_open_) break;
      [[fallthrough]];  // A password or certificate being rotated: it will be right again.
    case binlog::ErrorKind::kDisconnected: {
      const Step step = Pause();
      spdlog::warn("source: {}; trying again in {} ms", error.message, step.pause.count());
      return step;
    }
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

// Damage on the way heals by reading again; damage in the file does not.
Result<Step> SourceRetry::OnDamage(const binlog::Error& error, const std::string& place) {
  damaged_times_ = place == damaged_place_ ? damaged_times_ + 1 : 1;
  damaged_place_ = place;
  if (damaged_times_ >= kDamagedTimesMax) {
    return Fail(ExitCode::kUndecodable,
                "{} (read {} times) HINT: 'outboxd inspect --server --from file:{}' shows what"
                " comes before it",
                error.message, damaged_times_, place);
  }
  const Step step = Pause();
  spdlog::warn("source: {}; reading it again in {} ms", error.message, step.pause.count());
  return step;
}

}  // namespace outboxd
