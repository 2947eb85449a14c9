#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "daemon/error.h"

namespace outboxd {

// A thread for one phase of a relay: the reader's, or that of its ServerWatch. It is stopped and
// joined at the end of its life.
class Worker {
 public:
  // `stop`: makes `run` return soon.
  Worker(std::function<Result<void>()> run, std::function<void()> stop) : stop_(std::move(stop)) {
    thread_ = std::jthread([this, run = std::move(run)]() noexcept {
      result_ = run();
      finished_.store(true, std::memory_order_release);
    });
  }
  ~Worker() { stop_(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] bool finished() const { return finished_.load(std::memory_order_acquire); }
  // Only after it has finished.
  [[nodiscard]] const Result<void>& result() const { return result_; }

 private:
  std::function<void()> stop_;
  Result<void> result_;
  std::atomic<bool> finished_ = false;
  std::jthread thread_;  // Last: it uses the others until it is joined.
};

}  // namespace outboxd
