#include "daemon/preparation/log_readers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/comma_list.h"
#include "base/escaped.h"
#include "base/glob.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {
namespace {

Finding Warning(std::string subject, std::string found, std::string remedy) {
  return {Finding::Level::kWarning, std::move(subject), std::move(found), std::move(remedy),
          ExitCode::kOk};
}

// Of two lists of patterns the first two that a table can fit; none: no table fits both lists.
std::optional<std::pair<std::string_view, std::string_view>> Meeting(std::string_view own,
                                                                     std::string_view other) {
  for (const std::string_view one : SplitAtCommas(own)) {
    for (const std::string_view another : SplitAtCommas(other)) {
      if (PatternsMeet(one, another)) return std::pair(one, another);
    }
  }
  return std::nullopt;
}

Finding SameTable(const std::string& relay,
                  const std::pair<std::string_view, std::string_view>& patterns) {
  const bool is_one = patterns.first == patterns.second;
  return Warning(
      "other relays",
      fmt::format("relay '{}' reads event table {}{} of this server too: each event is published"
                  " by both",
                  Escaped(relay), patterns.first,
                  is_one ? "" : fmt::format(" (it says {})", Escaped(patterns.second))),
      "stop one of the two, or give each tables of its own; if both are wanted, there is"
      " nothing to do");
}

Finding SameNumber(std::uint32_t number, std::string_view whose) {
  return Warning(
      "server_id",
      fmt::format("{} is the server_id of {} too, and has to be this relay's alone", number, whose),
      "set mysql.server-id to a number that nobody else has");
}

}  // namespace

binlog::RelayAttributes AttributesOf(const Config& config) {
  return {.relay = config.relay.name,
          .server_id = RelayIdentity(config).server_id,
          .tables = fmt::format("{}", fmt::join(TablePatterns(config), ","))};
}

std::vector<Finding> CheckLogReaders(const binlog::RelayAttributes& own,
                                     const binlog::LogReaders& readers, std::uint32_t server_id) {
  std::vector<Finding> findings;
  std::set<std::string> others;
  for (const binlog::RelayAttributes& relay : readers.relays) {
    // Of the same name: this relay, while it runs, or one that it takes over from.
    if (relay.relay == own.relay || !others.insert(relay.relay).second) continue;
    if (const auto patterns = Meeting(own.tables, relay.tables)) {
      findings.push_back(SameTable(relay.relay, *patterns));
    }
    if (relay.server_id == own.server_id) {
      findings.push_back(
          SameNumber(own.server_id, fmt::format("relay '{}'", Escaped(relay.relay))));
    }
  }
  for (const binlog::RegisteredReplica& replica : readers.replicas) {
    if (replica.server_id != own.server_id) continue;
    const std::string host =
        replica.host.empty() ? "" : fmt::format(" at {}", Escaped(replica.host));
    findings.push_back(SameNumber(own.server_id, fmt::format("a replica{}", host)));
  }
  if (server_id != 0 && server_id == own.server_id) {
    findings.push_back(SameNumber(own.server_id, "this server itself"));
  }
  return findings;
}

}  // namespace outboxd
