#include "daemon/relay/purge_warning.h"

#include <spdlog/spdlog.h>

#include <string>

#include "base/error.h"
#include "base/time_text.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

constexpr std::chrono::minutes kBetween{10};

std::string HintOf(const KeptLog& log) {
  if (log.is_gone) {
    return "do not stop the relay: what it has read it can still deliver, and after a stop it ends"
           " with code 80; let the server keep its log longer";
  }
  if (!log.keeping.is_seen()) {
    return fmt::format(
        "see why nothing is delivered, and SET PERSIST binlog_expire_logs_seconds = {}",
        2 * log.keeping.expiry.count());
  }
  return fmt::format(
      "see why nothing is delivered, and let the server keep its log longer: its oldest file, {},"
      " is of {} ago, and those before it are removed already",
      log.keeping.oldest_file, DurationText(*log.keeping.oldest_age));
}

}  // namespace

void PurgeWarning::Look(const RelayStatus& status) {
  const auto& log = status.server.log;
  const std::string text = log ? PurgeText(*log, OldestNeeded(status)) : std::string();
  if (text.empty()) {
    // What is not known any more is not over.
    if (log && was_told_) {
      spdlog::info("MySQL keeps its log long enough again for what is not delivered");
      was_told_ = was_gone_ = false;
    }
    return;
  }
  const bool is_news = !was_told_ || log->is_gone != was_gone_;
  if (!is_news && clock_.Now() - told_at_ < kBetween) return;
  was_told_ = true;
  was_gone_ = log->is_gone;
  told_at_ = clock_.Now();
  Log(LogLevel::kError, {.notice = Notice::kPurgeAhead}, WithHint(text, HintOf(*log)));
}

}  // namespace outboxd
