#include "daemon/preparation/other_hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "daemon/preparation/log_kept.h"

namespace outboxd {
namespace {

std::vector<Finding> CheckHost(const MysqlConfig& config, const EventTables& tables) {
  const std::string subject = "host " + config.hosts.front();
  auto asked = AskServer(config);
  if (!asked) {
    return {{Finding::Level::kWarning, subject,
             fmt::format("{}: after a failover the relay could not read from it",
                         asked.error().message),
             asked.error().hint, ExitCode::kOk}};
  }
  std::vector<Finding> found = CheckServerSettings(asked->facts);
  const auto missing = FindMissingPrivileges(asked->server, tables);
  if (missing) std::ranges::move(CheckPrivileges(*missing), std::back_inserter(found));
  std::vector<Finding> findings;
  for (Finding& finding : found) {
    if (finding.level != Finding::Level::kProblem) continue;
    findings.push_back(
        {Finding::Level::kWarning, subject,
         fmt::format("{}: {}: the relay leaves this host out", finding.subject, finding.found),
         std::move(finding.remedy), ExitCode::kOk});
  }
  if (asked->facts.log_bin) {
    const auto keeping = AskForLogKeeping(asked->server, asked->options);
    Finding kept = keeping ? CheckLogKept(*keeping) : Finding{};
    if (kept.level == Finding::Level::kWarning) {
      kept.found = fmt::format("{}: {}", kept.subject, kept.found);
      kept.subject = subject;
      findings.push_back(std::move(kept));
    }
  }
  if (findings.empty()) {
    findings.push_back({Finding::Level::kOk,
                        subject,
                        fmt::format("{}, {}", asked->facts.version, asked->facts.server_uuid),
                        {},
                        ExitCode::kOk});
  }
  return findings;
}

}  // namespace

std::vector<Finding> CheckEachHost(const Config& config, const EventTables& tables) {
  std::vector<Finding> findings;
  if (config.mysql.hosts.size() < 2 || !config.mysql.socket.empty()) return findings;
  for (const std::string& host : config.mysql.hosts) {
    MysqlConfig alone = config.mysql;
    alone.hosts = {host};
    std::ranges::move(CheckHost(alone, tables), std::back_inserter(findings));
  }
  return findings;
}

}  // namespace outboxd
