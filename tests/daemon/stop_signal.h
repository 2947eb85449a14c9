#pragma once

#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stop_token>
#include <thread>

#include "daemon/service/process_signals.h"

namespace outboxd {

// SIGTERM for what runs in the thread that made this: there it waits until it is asked for. None is
// left over to whatever comes later. What is never stopped is stopped after half a minute, before
// the service manager of a test has more than it queues; that fails the test.
class StopSignal {
 public:
  StopSignal() = default;
  ~StopSignal() {
    deadline_ = {};
    while (signals_.StopArrived() || signals_.ReloadArrived()) {
    }
  }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Any thread. The thread has the signal blocked, and is asked whether it waits.
  void Send(int signal = SIGTERM) const {
    ::pthread_kill(thread_, signal);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  }

 private:
  void SendLate(const std::stop_token& ended) const {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(lock, ended, std::chrono::seconds(30),
                                           [] { return false; });
    if (ended.stop_requested()) return;
    ADD_FAILURE() << "nothing has stopped it";
    Send();
  }

  ProcessSignals signals_{ProcessSignals::Hangup::kReloads};
  const pthread_t thread_ = ::pthread_self();
  std::jthread deadline_{[this](const std::stop_token& ended) { SendLate(ended); }};
};

}  // namespace outboxd
