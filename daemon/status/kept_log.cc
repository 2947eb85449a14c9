#include "daemon/status/kept_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time_text.h"

namespace outboxd {

using std::chrono::microseconds;

std::optional<microseconds> PurgeMargin(const KeptLog& log,
                                        const std::optional<microseconds>& oldest_needed) {
  if (log.is_gone) return microseconds{0};
  const auto kept = log.keeping.kept();
  if (!kept) return kNeverPurged;
  if (!oldest_needed) return std::nullopt;
  return std::max(microseconds(*kept) - *oldest_needed, microseconds{0});
}

std::string PurgeText(const KeptLog& log, const std::optional<microseconds>& oldest_needed) {
  if (log.is_gone) {
    return fmt::format("MySQL has removed {}, which a start would need", log.needed_file);
  }
  const auto margin = PurgeMargin(log, oldest_needed);
  if (!margin || *margin == kNeverPurged || 2 * *margin >= *log.keeping.kept()) return {};
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(*margin);
  if (left.count() == 0) return "MySQL may remove what is not delivered at any moment";
  return fmt::format("MySQL may remove what is not delivered in {}", DurationText(left));
}

}  // namespace outboxd
