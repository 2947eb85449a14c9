#pragma once

#include <mutex>
#include <utility>

#include "daemon/http/history.h"
#include "daemon/service/clock.h"
#include "daemon/status/relay_status.h"

namespace outboxd {

// Where the relay's loop leaves what it is doing, and those who serve it read it. Any thread.
class StatusBoard {
 public:
  // `clock` is borrowed.
  explicit StatusBoard(const Clock& clock) : clock_(clock), told_at_(clock.Now()) {}

  void Set(RelayStatus status) {
    const std::uint64_t now_us = clock_.WallMicroseconds();
    const std::lock_guard lock(mutex_);
    history_.Note(status, now_us);
    status_ = std::move(status);
    told_at_ = clock_.Now();
  }

  struct Told {
    RelayStatus status;
    Clock::TimePoint::duration age;
  };
  [[nodiscard]] std::deque<History::Sample> history() const {
    const std::lock_guard lock(mutex_);
    return history_.samples();
  }
  [[nodiscard]] Told Read() const {
    const std::lock_guard lock(mutex_);
    return {status_, clock_.Now() - told_at_};
  }

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  RelayStatus status_;
  Clock::TimePoint told_at_;
  History history_;
};

}  // namespace outboxd
