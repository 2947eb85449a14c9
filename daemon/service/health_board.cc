#include "daemon/service/health_board.h"

namespace outboxd {

Health HealthBoard::Live() const {
  const Clock::TimePoint beat_at{Clock::TimePoint::duration(beat_at_.load())};
  const auto since = clock_.Now() - beat_at;
  if (since <= kBeatMax) return {true, "alive"};
  return {false, fmt::format("stuck: nothing has moved for {} s",
                             std::chrono::duration_cast<std::chrono::seconds>(since).count())};
}

Health HealthBoard::Reloads() const {
  const std::lock_guard lock(mutex_);
  return reloads_;
}

Health HealthBoard::Ready() const {
  if (Health live = Live(); !live.is_good) return live;
  const std::lock_guard lock(mutex_);
  return ready_;
}

}  // namespace outboxd
