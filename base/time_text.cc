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

}  // namespace outboxd
