#include "daemon/preparation/start_position.h"

#include "binlog/mysql_log.h"
#include "daemon/exit_code_of.h"
#include "daemon/service/clock.h"

namespace outboxd {
namespace {

Result<binlog::Position> GivenGtids(const StartChoice& start, const binlog::ServerFacts& facts) {
  if (facts.gtid_mode != "ON") {
    return Fail(ExitCode::kConfiguration,
                "start = gtid:... needs gtid_mode = ON, the server has {}", facts.gtid_mode)
        .Hint("start = file:...");
  }
  auto gtids = binlog::GtidSet::Parse(start.gtids);
  if (!gtids) return Fail(gtids.error().As(ExitCode::kConfiguration), "start");
  return binlog::Position{.gtids = std::move(*gtids), .file = {}, .offset = 0};
}

}  // namespace

Error NoStartError() {
  return {ExitCode::kNoStart, "there is no checkpoint yet, so where to begin has to be chosen",
          "in [delivery] 'start = table' (publish the rows that are in the event table, then "
          "everything new),"
          " 'earliest' (all that the binary log still holds), 'now' (new rows only), 'gtid:SET'"
          " (everything but the transactions of SET) or 'file:NAME:OFFSET'"};
}

bool BeginsWithTables(const StartChoice& start, const std::optional<Checkpoint>& checkpoint) {
  return checkpoint ? checkpoint->read.has_value() : start.kind == StartChoice::Kind::kTable;
}

Result<Progress> ResolveStart(const StartChoice& start, const binlog::ServerFacts& facts,
                              binlog::MysqlServer& server) {
  Progress progress;
  progress.server_uuid = facts.server_uuid;
  binlog::Result<binlog::Position> position = binlog::Position{};
  switch (start.kind) {
    case StartChoice::Kind::kNone:
      return std::unexpected(NoStartError());
    case StartChoice::Kind::kGtid: {
      auto given = GivenGtids(start, facts);
      if (!given) return std::unexpected(given.error());
      position = std::move(*given);
      break;
    }
    case StartChoice::Kind::kFile:
      position = binlog::Position{.gtids = {}, .file = start.file, .offset = start.offset};
      break;
    case StartChoice::Kind::kEarliest:
      position = binlog::AskForEarliestPosition(server.connection());
      break;
    case StartChoice::Kind::kTable:
      progress.read.emplace().begun_us = SystemClock().WallMicroseconds();
      [[fallthrough]];
    case StartChoice::Kind::kNow:
      position = binlog::AskForCurrentPosition(server.connection());
      break;
  }
  if (!position) {
    return Fail(AsDaemonError(position.error()), "start");
  }
  progress.position = std::move(*position);
  return progress;
}

}  // namespace outboxd
