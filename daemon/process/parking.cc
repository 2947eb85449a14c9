#include "daemon/process/parking.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <thread>

#include "daemon/service/log_record.h"

namespace outboxd {

bool Park(const Parking& parking, const Error& error,
          std::optional<std::chrono::milliseconds> pause) {
  constexpr std::chrono::milliseconds kSignalCheck{100};
  constexpr std::chrono::minutes kReminder{10};
  const std::string again =
      pause ? fmt::format("; trying again in {} ms", pause->count()) : std::string();
  const std::string text = WithHint(fmt::format("parked, after the run ended with code {}: {}{}",
                                                static_cast<int>(error.kind), error.message, again),
                                    error.hint);
  const Clock::TimePoint begun = parking.clock.Now();
  parking.notifier.Ready();  // A manager that waits for it would end the process.
  parking.health.Set({false, text});
  RelayStatus status;
  status.written_at_us = parking.clock.WallMicroseconds();
  status.parked = Outage{.since_us = status.written_at_us, .reason = text};
  parking.board.Set(std::move(status));
  parking.notifier.Status(text);
  spdlog::warn("parked{}", pause ? again
                                 : "; nothing is published until a person has removed the reason"
                                   " and restarted or reloaded the relay");
  Clock::TimePoint next_reminder = begun + kReminder;
  while (!parking.signals.StopArrived()) {
    const auto now = parking.clock.Now();
    if (pause && now - begun >= *pause) return false;
    if (parking.reload != nullptr && parking.reload->TakeWhole()) return false;
    parking.health.Beat();
    parking.notifier.Watchdog(now);
    if (now >= next_reminder) {
      next_reminder = now + kReminder;
      Log(LogLevel::kFatal, {.notice = EndedWith(error.kind), .code = error.kind}, text);
    }
    std::this_thread::sleep_for(kSignalCheck);
  }
  return true;
}

}  // namespace outboxd
