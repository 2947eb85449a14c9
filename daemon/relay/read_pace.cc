#include "daemon/relay/read_pace.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/time_text.h"

namespace outboxd {
namespace {

constexpr std::uint64_t kSecondUs = 1'000'000;
constexpr std::uint64_t kBetweenWarningsUs = 600 * kSecondUs;

std::string Duration(std::uint64_t microseconds) {
  return DurationText(std::chrono::seconds(microseconds / kSecondUs));
}

}  // namespace

std::optional<std::string> ReadPace::Warning(std::uint64_t rows, std::uint64_t now_us) {
  if (!first_rows_) {
    first_rows_ = rows;
    first_us_ = now_us;
  }
  const bool is_known = facts_.rows_estimate > rows && facts_.log_kept.count() > 0 &&
                        facts_.begun_us != 0 && rows >= facts_.rows_estimate / 100;
  if (!is_known || rows <= *first_rows_ || now_us <= first_us_ || now_us < next_warning_us_) {
    return std::nullopt;
  }
  const double rows_per_us =
      static_cast<double>(rows - *first_rows_) / static_cast<double>(now_us - first_us_);
  constexpr double kNeededUsMax = 1e16;  // Some 300 years.
  const auto needed_us = static_cast<std::uint64_t>(
      std::min(kNeededUsMax, static_cast<double>(facts_.rows_estimate - rows) / rows_per_us));
  const std::uint64_t purged_at_us =
      facts_.begun_us + static_cast<std::uint64_t>(facts_.log_kept.count()) * kSecondUs;
  const std::uint64_t left_us = purged_at_us - std::min(purged_at_us, now_us);
  if (needed_us <= left_us / 2) return std::nullopt;
  next_warning_us_ = now_us + kBetweenWarningsUs;
  return WithHint(
      fmt::format("the initial read needs about {} more, and the server may purge the log that it"
                  " began in after {}",
                  Duration(needed_us), Duration(left_us)),
      fmt::format("SET PERSIST binlog_expire_logs_seconds = {}, or raise delivery.max-rate",
                  2 * ((now_us - facts_.begun_us + needed_us) / kSecondUs)));
}

}  // namespace outboxd
