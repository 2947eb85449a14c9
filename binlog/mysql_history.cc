#include "binlog/mysql_history.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "binlog/event_header.h"
#include "binlog/gtid_event.h"
#include "binlog/mysql_log.h"
#include "binlog/mysql_replication.h"

namespace outboxd::binlog {
namespace {

// Events that are looked through for the last transaction.
constexpr int kEventsBeforeLastMax = 10'000;
constexpr std::string_view kPurgedHint =
    "add a server that still has the log to mysql.host; without one, 'outboxd position set table'"
    " publishes what is in the event tables again, and loses what was deleted from them";

// Of a position that somebody named, and behind which nothing was read yet, a server that does not
// have it says less.
std::string ReasonText(const Comparison& compared, bool was_read) {
  const bool is_given = !was_read && compared.lack != Lack::kTail;
  return is_given ? "" : fmt::format(": {}", ReasonOf(compared.lack));
}

std::string WithoutText(const Comparison& compared, bool was_read, std::string_view server_uuid) {
  return fmt::format("server {} does not have the transactions {} that {}", server_uuid,
                     compared.missing.ToText(),
                     was_read ? "were already read" : "the position names");
}

Failure<ErrorKind> Lacking(const Comparison& compared, bool was_read,
                           std::string_view server_uuid) {
  return Fail(ErrorKind::kDiverged, "{}{}", WithoutText(compared, was_read, server_uuid),
              ReasonText(compared, was_read))
      .Hint("{}, then choose a place with 'outboxd position set'",
            was_read ? "compare event table and topic"
                     : "see which it has with SELECT @@global.gtid_executed there");
}

// The answer of a server that lacks transactions: with how it may still get them.
HostAnswer AnswerWithout(MysqlConnection& connection, const Comparison& compared, bool was_read,
                         const std::string& server_uuid) {
  auto replication = AskForReplication(connection, compared.missing);
  const ErrorKind kind = replication ? ErrorKind::kDiverged : replication.error().kind;
  HostAnswer answer;
  answer.error =
      replication
          ? Lacking(compared, was_read, server_uuid).error()
          : Fail(replication.error(), "{}", WithoutText(compared, was_read, server_uuid)).error();
  if (kind != ErrorKind::kDiverged && kind != ErrorKind::kDenied) return answer;
  answer.lack = compared.lack;
  answer.missing = compared.missing.count();
  answer.server_uuid = server_uuid;
  if (replication) answer.replication = std::move(*replication);
  return answer;
}

// The time of commit that a GTID event tells; none: the event is another one.
std::optional<std::uint64_t> CommitTimeOf(Bytes event, const Gtid& gtid, bool has_checksums) {
  const auto header = ParseEventHeader(event);
  if (!header) return std::nullopt;
  if (header->type != EventType::kGtid && header->type != EventType::kGtidTagged) {
    return std::nullopt;
  }
  const std::size_t around = kEventHeaderBytes + (has_checksums ? kChecksumBytes : 0);
  if (event.size() < around) return std::nullopt;
  const auto parsed =
      ParseGtidEvent(header->type, event.subspan(kEventHeaderBytes, event.size() - around));
  if (!parsed || parsed->gtid != gtid) return std::nullopt;
  return parsed->original_commit_us;
}

}  // namespace

std::string_view ReasonOf(Lack lack) {
  switch (lack) {
    case Lack::kNothing:
      break;
    case Lack::kTail:
      return "it lags, or a failover lost them";
    case Lack::kOwn:
      return "they are its own, so that it was reset or restored from a backup";
    case Lack::kOther:
      return "it has another history";
    case Lack::kDisjoint:
      return "it has none of those that were read, so that it is another server";
  }
  return "";
}

std::unexpected<HostAnswer> Refuses(const Error& error) {
  return std::unexpected(HostAnswer{.error = error});
}

Result<void> CheckFile(MysqlConnection& connection, const Position& from) {
  if (from.offset > std::numeric_limits<std::uint32_t>::max()) {
    return Fail(ErrorKind::kUnsuitable,
                "offset {} of {} is beyond 4 GiB, which the protocol cannot ask for without GTIDs",
                from.offset, from.file)
        .Hint(
            "SET PERSIST gtid_mode = ON, or choose a place in a later file with 'outboxd position "
            "set'");
  }
  if (from.file.empty()) return {};
  auto files = AskForLogFiles(connection);
  if (!files) return std::unexpected(files.error());
  for (const LogFile& file : *files) {
    if (file.name != from.file) continue;
    if (file.end_offset == 0 || from.offset <= file.end_offset) return {};
    return Fail(ErrorKind::kDiverged,
                "binary log {} has {} bytes, the position is at {}: the server lost the end of its "
                "log or began a new one",
                from.file, file.end_offset, from.offset)
        .Hint("compare event table and topic, then 'outboxd position set'");
  }
  return Fail(ErrorKind::kGone, "binary log {} is no longer on the server: events may be missing",
              from.file)
      .Hint("{}", kPurgedHint);
}

std::expected<StreamIdentity, HostAnswer> CheckGtids(MysqlConnection& connection,
                                                     const GtidQuestion& question,
                                                     StreamIdentity stream) {
  GtidSet have = question.from.gtids;
  if (question.known.begun) have.Add(*question.known.begun);
  // A server sends a transaction before its commit is finished. Asked in this order, it stands in
  // one of the two at least. What another server sent may be rolled back here yet.
  auto owned_text = connection.QueryValue("SELECT @@global.gtid_owned");
  if (!owned_text) return Refuses(owned_text.error());
  auto server_has = AskForGtids(connection, "gtid_executed");
  if (!server_has) return Refuses(server_has.error());
  const std::string& former = question.known.server_uuid;
  const auto owned = ParseOwnedGtids(TextOf(*owned_text));
  if (owned && (former.empty() || former == stream.server_uuid)) server_has->Unite(*owned);
  auto compared = CompareHistories(have, *server_has, stream.server_uuid, former);
  const bool is_accepted = question.accepts_loss && compared.lack == Lack::kTail;
  if (compared.lack != Lack::kNothing && !is_accepted) {
    const bool was_read = question.known.last_gtid || question.known.begun;
    if (question.asks_once && !was_read) {
      return Refuses(Lacking(compared, was_read, stream.server_uuid).error());
    }
    return std::unexpected(AnswerWithout(connection, compared, was_read, stream.server_uuid));
  }
  auto purged = AskForGtids(connection, "gtid_purged");
  if (!purged) return Refuses(purged.error());
  const GtidSet gap = purged->Minus(question.from.gtids);
  if (!gap.empty()) {
    return Refuses(
        Fail(ErrorKind::kGone,
             "the server has purged the transactions {}, which were not read yet: events may be "
             "missing",
             gap.ToText())
            .Hint("{}", kPurgedHint)
            .error());
  }
  stream.lost = std::move(compared.missing);
  if (!former.empty() && former != stream.server_uuid && !have.empty()) {
    stream.unseen = OfUnseenOrigins(have, *server_has);
  }
  return stream;
}

Result<bool> CheckLastTransaction(MysqlDump& dump, const KnownHistory& known,
                                  const Position& position, const StreamIdentity& stream) {
  if (!stream.by_gtid || !known.last_gtid || known.last_commit_us == 0) return true;
  if (!position.gtids.Contains(*known.last_gtid)) return true;
  auto purged = AskForGtids(dump.connection(), "gtid_purged");
  if (!purged) return std::unexpected(purged.error());
  if (purged->Contains(*known.last_gtid)) return true;

  GtidSet last;
  last.Add(*known.last_gtid);
  const Position before{.gtids = position.gtids.Minus(last), .file = {}, .offset = 0};
  auto started = dump.Start(before, true);
  if (!started) return std::unexpected(started.error());
  std::optional<std::uint32_t> idle_at;  // Where the heartbeat before stood.
  for (int i = 0; i < kEventsBeforeLastMax; ++i) {
    auto event = dump.Fetch();
    if (!event && MayPass(event.error().kind)) {
      return std::unexpected(event.error());
    }
    if (!event) return false;  // What cannot be read there cannot be compared.
    if (const auto time = CommitTimeOf(*event, *known.last_gtid, stream.has_checksums)) {
      auto same = CompareLastTransaction(known, *time);
      if (!same) return std::unexpected(same.error());
      return false;
    }
    const auto header = ParseEventHeader(*event);
    if (!header || header->type != EventType::kHeartbeat) continue;
    if (idle_at == header->log_pos) return false;  // The end of the log.
    idle_at = header->log_pos;
  }
  return false;
}

}  // namespace outboxd::binlog
