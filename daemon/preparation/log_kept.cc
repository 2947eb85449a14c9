#include "daemon/preparation/log_kept.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_text.h"
#include "binlog/mysql_file_begin.h"
#include "binlog/mysql_log.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {

binlog::Result<binlog::LogKeeping> AskForLogKeeping(binlog::MysqlServer& server,
                                                    const binlog::ConnectionOptions& options) {
  binlog::MysqlConnection& connection = server.connection();
  const auto expiry = binlog::AskForExpiry(connection);
  if (!expiry) return std::unexpected(expiry.error());
  const auto files = binlog::AskForLogFiles(connection);
  if (!files) return std::unexpected(files.error());
  binlog::LogKeeping keeping{.expiry = *expiry, .oldest_file = {}, .oldest_age = {}};
  if (files->empty()) return keeping;
  keeping.oldest_file = files->front().name;
  const auto now_us = binlog::AskForTimeOfDay(connection);
  if (!now_us) return std::unexpected(now_us.error());
  const auto begun_us = binlog::AskForFileBegin(options, RandomIdentity(), keeping.oldest_file);
  if (begun_us) {
    keeping.oldest_age = std::chrono::seconds((*now_us - std::min(*now_us, *begun_us)) / 1'000'000);
  }
  return keeping;
}

Finding CheckLogKept(const binlog::LogKeeping& keeping) {
  constexpr std::chrono::days kLeast{1};
  const auto kept = keeping.kept();
  if (!kept) {
    return {Finding::Level::kOk, "log kept", "for ever, as the server is set", {}, ExitCode::kOk};
  }
  const std::string how =
      keeping.is_seen()
          ? fmt::format(
                "by the oldest file, {}: those before it are gone, though the setting says"
                " {}",
                keeping.oldest_file,
                keeping.expiry.count() == 0 ? "for ever" : DurationText(keeping.expiry))
          : std::string("as the server is set");
  if (*kept >= kLeast) {
    return {Finding::Level::kOk,
            "log kept",
            fmt::format("{}, {}: so long an outage is safe", DurationText(*kept), how),
            {},
            ExitCode::kOk};
  }
  return {Finding::Level::kWarning, "log kept",
          fmt::format("{}, {}: a longer outage loses events", DurationText(*kept), how),
          keeping.is_seen()
              ? "find out who removes files (a job with PURGE BINARY LOGS, the provider of a"
                " managed server), and let them be kept for three days; a server that is new, or"
                " whose setting was raised lately, shows this too, until its log is old enough"
              : "SET PERSIST binlog_expire_logs_seconds = 259200",
          ExitCode::kOk};
}

}  // namespace outboxd
