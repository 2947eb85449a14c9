#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace outboxd {

// Tells the service manager how the relay is doing (sd_notify(3)). Where there is none, every call
// does nothing. A notification that cannot be sent is dropped, as there is nobody to tell; while
// the manager does not read, the call waits once some are queued. One thread.
class ServiceNotifier {
 public:
  // Reads WATCHDOG_USEC and WATCHDOG_PID once.
  ServiceNotifier();

  // The relay is active or standing by.
  void Ready();
  // A configuration is being read anew; Ready() ends it.
  void Reloading();
  // One line for people, as `systemctl status` shows it.
  void Status(std::string_view text);
  // The relay has begun to stop.
  void Stopping();
  // The calling loop is alive; call it as often as you like. Sent four times in
  // watchdog_interval(), not with each call: a busy loop must not flood the manager, nor wait for
  // it.
  void Watchdog(std::chrono::steady_clock::time_point now);

  // After this time without Watchdog() the process is killed. None: nobody watches.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const {
    return watchdog_interval_;
  }

 private:
  // Constant after construction.
  std::optional<std::chrono::microseconds> watchdog_interval_;

  std::chrono::steady_clock::time_point next_watchdog_ =
      std::chrono::steady_clock::time_point::min();
};

}  // namespace outboxd
