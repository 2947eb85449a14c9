#include "binlog/mysql_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "binlog/mysql_connection.h"

namespace outboxd::binlog {
namespace {

// In front of the bytes of an encrypted file (MySQL 9.7 manual, "Encrypting Binary Log Files and
// Relay Log Files").
constexpr std::uint64_t kEncryptionHeaderBytes = 512;

// Whether its positions are sets of GTIDs, and not files with offsets.
Result<bool> CountsByGtid(MysqlConnection& connection) {
  const auto gtid_mode = connection.QueryValue("SELECT @@global.gtid_mode");
  if (!gtid_mode) return std::unexpected(gtid_mode.error());
  return TextOf(*gtid_mode) == "ON";
}

Result<Position> PositionByGtid(MysqlConnection& connection, std::string_view variable) {
  auto gtids = AskForGtids(connection, variable);
  if (!gtids) return std::unexpected(gtids.error());
  return Position{.gtids = *std::move(gtids), .file = {}, .offset = 0};
}

}  // namespace

Result<GtidSet> AskForGtids(MysqlConnection& connection, std::string_view variable) {
  const auto text = connection.QueryValue(fmt::format("SELECT @@global.{}", variable));
  if (!text) return std::unexpected(text.error());
  return GtidSet::Parse(TextOf(*text));
}

Result<std::optional<LogStatus>> AskForLogStatus(MysqlConnection& connection) {
  auto rows = connection.QueryRenamed("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS", 4);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  const ResultRow& row = rows->front();
  return LogStatus{.file = TextOf(row[0]),
                   .offset = NumberOf(TextOf(row[1])),
                   .do_db = TextOf(row[2]),
                   .ignore_db = TextOf(row[3]),
                   .gtids = row.size() > 4 ? TextOf(row[4]) : ""};
}

Result<Position> AskForCurrentPosition(MysqlConnection& connection) {
  const auto by_gtid = CountsByGtid(connection);
  if (!by_gtid) return std::unexpected(by_gtid.error());
  // A GTID joins gtid_executed after its transaction was committed in the engine (MySQL 9.7
  // sql/binlog.cc, process_commit_stage_queue()), so that a later SELECT sees its rows; every other
  // transaction comes behind this set in the log.
  if (*by_gtid) return PositionByGtid(connection, "gtid_executed");
  auto status = AskForLogStatus(connection);
  if (!status) return std::unexpected(status.error());
  if (!*status) return Fail(ErrorKind::kUnsuitable, "the server has no binary log");
  // The set matches file and offset, so that a later change of gtid_mode to ON finds it known.
  auto gtids = GtidSet::Parse((*status)->gtids);
  if (!gtids) return std::unexpected(gtids.error());
  return Position{
      .gtids = std::move(*gtids), .file = std::move((*status)->file), .offset = (*status)->offset};
}

Result<LogEnd> AskForLogEnd(MysqlConnection& connection) {
  auto status = AskForLogStatus(connection);
  if (!status) return std::unexpected(status.error());
  if (!*status) return Fail(ErrorKind::kUnsuitable, "the server has no binary log");
  return LogEnd{.file = std::move((*status)->file), .offset = (*status)->offset};
}

Result<std::vector<LogFile>> AskForLogFiles(MysqlConnection& connection) {
  auto rows = connection.Query("SHOW BINARY LOGS", 2);
  if (!rows) return std::unexpected(rows.error());
  std::vector<LogFile> files;
  for (const ResultRow& row : *rows) files.push_back(LogFileOf(row));
  return files;
}

LogFile LogFileOf(const ResultRow& row) {
  const std::uint64_t size = NumberOf(TextOf(row[1]));
  // The server counts the header of an encrypted file, which no offset does (MySQL 9.7
  // sql/rpl_source.cc, show_binlogs()).
  const bool is_encrypted = row.size() > 2 && TextOf(row[2]) == "Yes";
  const std::uint64_t header = is_encrypted ? kEncryptionHeaderBytes : 0;
  return {.name = TextOf(row[0]), .end_offset = size - std::min(size, header)};
}

Result<std::chrono::seconds> AskForExpiry(MysqlConnection& connection) {
  // Of the first two at most one is set: the second one is of servers before 8.0.1.
  auto rows = connection.Query(
      "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_expire_logs_seconds',"
      " 'expire_logs_days', 'binlog_expire_logs_auto_purge')",
      2);
  if (!rows) return std::unexpected(rows.error());
  std::chrono::seconds expiry{0};
  for (const ResultRow& row : *rows) {
    const std::string name = TextOf(row[0]);
    const std::string value = TextOf(row[1]);
    if (name == "binlog_expire_logs_seconds" && NumberOf(value) != 0) {
      expiry = std::chrono::seconds(NumberOf(value));
    } else if (name == "expire_logs_days" && NumberOf(value) != 0) {
      expiry = std::chrono::days(NumberOf(value));
    } else if (name == "binlog_expire_logs_auto_purge" && value == "OFF") {
      return std::chrono::seconds{0};
    }
  }
  return expiry;
}

Result<Position> AskForEarliestPosition(MysqlConnection& connection) {
  const auto by_gtid = CountsByGtid(connection);
  if (!by_gtid) return std::unexpected(by_gtid.error());
  if (*by_gtid) return PositionByGtid(connection, "gtid_purged");
  auto files = AskForLogFiles(connection);
  if (!files) return std::unexpected(files.error());
  if (files->empty()) return Fail(ErrorKind::kUnsuitable, "the server has no binary log");
  return Position{.gtids = {}, .file = std::move(files->front().name), .offset = kFirstOffset};
}

}  // namespace outboxd::binlog
