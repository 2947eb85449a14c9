#include "daemon/preparation/source_check.h"

#include <expected>
#include <utility>

#include "daemon/preparation/log_readers.h"
#include "daemon/preparation/message_age.h"

namespace outboxd {
namespace {

template <typename T, typename Judge>
binlog::Result<std::vector<Finding>> FindingsOf(const binlog::Result<T>& answer, Judge judge) {
  if (!answer) return std::unexpected(answer.error());
  return judge(*answer);
}

}  // namespace

std::optional<CheckedSource> CheckSource(const Config& config, const EventTables& tables,
                                         bool begins_with_tables, binlog::MysqlServer& server,
                                         const binlog::ServerFacts& facts,
                                         const std::function<bool(SourceAnswer)>& take) {
  if (!take({"mysql", CheckServerSettings(facts)})) return std::nullopt;
  const auto missing = FindMissingPrivileges(server, tables);
  if (!take({"privileges", FindingsOf(missing, CheckPrivileges)})) return std::nullopt;
  const auto group_privilege = server.MissingGroupPrivilege();
  if (!take({"privileges", FindingsOf(group_privilege, CheckGroup)})) return std::nullopt;
  const auto readers = server.AskForReaders();
  if (!take({"other relays", FindingsOf(readers, [&](const binlog::LogReaders& found) {
               return CheckLogReaders(AttributesOf(config), found, facts.server_id);
             })})) {
    return std::nullopt;
  }

  CheckedSource checked;
  auto described = DescribeEventTables(server, tables);
  if (!take({"event tables", FindingsOf(described, [&](const auto& found) {
               return CheckEventTables(tables, found, facts.binlog_row_metadata);
             })})) {
    return std::nullopt;
  }
  if (!described) return std::nullopt;
  checked.tables = std::move(*described);
  if (!take({"event tables", CheckLogFilters(facts, tables, checked.tables)})) return std::nullopt;

  if (!begins_with_tables) return checked;
  const auto for_read = FactsForTableRead(server, checked.tables);
  if (!take({"event tables", FindingsOf(for_read, [&](const TableReadFacts& read) {
               return CheckTableRead(read, facts, config.delivery);
             })})) {
    return std::nullopt;
  }
  if (!for_read) return checked;
  checked.read_rows_estimate = for_read->rows;
  if (!take({"event tables", LookAtMessageAges(config, tables, checked.tables, server)})) {
    return std::nullopt;
  }
  return checked;
}

}  // namespace outboxd
