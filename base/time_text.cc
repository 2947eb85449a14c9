#include "base/time_text.h"

#include <fmt/chrono.h>

#include <ctime>

namespace outboxd {
namespace {

std::tm SecondsOf(std::uint64_t microseconds) {
  return fmt::gmtime(static_cast<std::time_t>(microseconds / 1'000'000));
}

}  // namespace

std::string TimeText(std::uint64_t microseconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", SecondsOf(microseconds));
}

std::string FineTimeText(std::uint64_t microseconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06} UTC", SecondsOf(microseconds),
                     microseconds % 1'000'000);
}

std::string IsoTimeText(std::uint64_t microseconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", SecondsOf(microseconds),
                     microseconds / 1000 % 1000);
}

std::string DurationText(std::chrono::seconds duration) {
  using namespace std::chrono_literals;
  if (duration < 2min) return fmt::format("{} s", duration.count());
  if (duration < 2h) return fmt::format("{} min", duration / 1min);
  if (duration < 48h) return fmt::format("{} h", duration / 1h);
  return fmt::format("{} days", duration / 24h);
}

}  // namespace outboxd
