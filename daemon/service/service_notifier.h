#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace outboxd {

// Tells the service manager how the relay is doing (sd_notify(3)). Where there is none, every call
// does nothing. Any thread; a notification that cannot be sent is dropped, as there is nobody to
// tell.
class ServiceNotifier {
 public:
  // Reads WATCHDOG_USEC and WATCHDOG_PID once.
  ServiceNotifier();

  // The relay is active or standing by.
  void Ready();
  // One line for people, as `systemctl status` shows it.
  void Status(std::string_view text);
  // The relay has begun to stop.
  void Stopping();
  // The calling loop is alive.
  void Watchdog();

  // After this time without Watchdog() the process is killed; call it at least twice as often.
  // None: nobody watches.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const {
    return watchdog_interval_;
  }

 private:
  // Constant after construction.
  std::optional<std::chrono::microseconds> watchdog_interval_;
};

}  // namespace outboxd
