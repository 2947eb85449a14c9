#include "daemon/service/service_notifier.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <ctime>
#include <string>

#include "base/escaped.h"

namespace outboxd {

namespace {

constexpr int kKeepEnvironment = 0;
constexpr std::size_t kStatusBytesMax = 1024;
constexpr int kWatchdogsPerInterval = 4;

void Notify(const char* state) { static_cast<void>(sd_notify(kKeepEnvironment, state)); }

}  // namespace

ServiceNotifier::ServiceNotifier() {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(kKeepEnvironment, &interval_us) > 0) {
    watchdog_interval_ = std::chrono::microseconds(interval_us);
  }
}

void ServiceNotifier::Ready() { Notify("READY=1"); }

void ServiceNotifier::Reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // Which the manager compares with its own.
  const std::int64_t now_us = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  Notify(("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us)).c_str());
}

void ServiceNotifier::Status(std::string_view text) {
  // A line feed would begin another assignment.
  Notify(("STATUS=" + Escaped(text, kStatusBytesMax)).c_str());
}

void ServiceNotifier::Stopping() { Notify("STOPPING=1"); }

void ServiceNotifier::Watchdog(std::chrono::steady_clock::time_point now) {
  if (!watchdog_interval_ || now < next_watchdog_) return;
  next_watchdog_ = now + *watchdog_interval_ / kWatchdogsPerInterval;
  Notify("WATCHDOG=1");
}

}  // namespace outboxd
