#include "binlog/event_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "binlog/control_event.h"
#include "binlog/gtid_event.h"
#include "binlog/gtid_set.h"
#include "binlog/query_event.h"
#include "binlog/table_map.h"

namespace outboxd::binlog {
namespace {

constexpr std::pair<EventType, std::string_view> kNames[] = {
    {EventType::kQuery, "QUERY"},
    {EventType::kStop, "STOP"},
    {EventType::kRotate, "ROTATE"},
    {EventType::kIntvar, "INTVAR"},
    {EventType::kRand, "RAND"},
    {EventType::kUserVar, "USER_VAR"},
    {EventType::kFormatDescription, "FORMAT_DESCRIPTION"},
    {EventType::kXid, "XID"},
    {EventType::kBeginLoadQuery, "BEGIN_LOAD_QUERY"},
    {EventType::kExecuteLoadQuery, "EXECUTE_LOAD_QUERY"},
    {EventType::kTableMap, "TABLE_MAP"},
    {EventType::kWriteRowsV1, "WRITE_ROWS_V1"},
    {EventType::kUpdateRowsV1, "UPDATE_ROWS_V1"},
    {EventType::kDeleteRowsV1, "DELETE_ROWS_V1"},
    {EventType::kIncident, "INCIDENT"},
    {EventType::kHeartbeat, "HEARTBEAT"},
    {EventType::kIgnorable, "IGNORABLE"},
    {EventType::kRowsQuery, "ROWS_QUERY"},
    {EventType::kWriteRows, "WRITE_ROWS"},
    {EventType::kUpdateRows, "UPDATE_ROWS"},
    {EventType::kDeleteRows, "DELETE_ROWS"},
    {EventType::kGtid, "GTID"},
    {EventType::kAnonymousGtid, "ANONYMOUS_GTID"},
    {EventType::kPreviousGtids, "PREVIOUS_GTIDS"},
    {EventType::kTransactionContext, "TRANSACTION_CONTEXT"},
    {EventType::kViewChange, "VIEW_CHANGE"},
    {EventType::kXaPrepare, "XA_PREPARE"},
    {EventType::kPartialUpdateRows, "PARTIAL_UPDATE_ROWS"},
    {EventType::kTransactionPayload, "TRANSACTION_PAYLOAD"},
    {EventType::kHeartbeatV2, "HEARTBEAT_V2"},
    {EventType::kGtidTagged, "GTID_TAGGED"},
};

constexpr std::size_t kTextMax = 200;

std::string Cut(std::string_view text) {
  if (text.size() <= kTextMax) return std::string(text);
  return fmt::format("{}... ({} bytes)", text.substr(0, kTextMax), text.size());
}

std::string Table(Bytes body) {
  const auto map = TableMap::Parse(body);
  if (map) {
    return fmt::format("{}.{}, table id {}, {} columns{}", map->schema_name, map->table_name,
                       map->table_id, map->columns.size(), map->has_names ? "" : " without names");
  }
  const auto name = ParseTableMapName(body);
  if (!name) return name.error().message;
  return fmt::format("{}.{}: {}", name->schema_name, name->table_name, map.error().ToText());
}

std::string Control(const EventHeader& header, Bytes event, Bytes body) {
  switch (header.type) {
    case EventType::kFormatDescription: {
      const auto format = ParseFormatDescription(event);
      if (!format) return format.error().message;
      return fmt::format("server {}, checksums {}", format->server_version,
                         format->has_checksums ? "CRC32" : "NONE");
    }
    case EventType::kRotate: {
      const auto rotate = ParseRotate(body);
      if (!rotate) return rotate.error().message;
      return fmt::format("to {}:{}", rotate->file, rotate->offset);
    }
    case EventType::kPreviousGtids: {
      const auto gtids = GtidSet::Decode(body);
      return gtids ? Cut(gtids->ToText()) : gtids.error().message;
    }
    default: {
      const auto gtid = ParseGtidEvent(header.type, body);
      if (!gtid) return gtid.error().message;
      return gtid->gtid ? ToText(*gtid->gtid) : std::string();
    }
  }
}

std::string Prepare(Bytes body) {
  const auto one_phase = ParseXaPrepareIsOnePhase(body);
  if (!one_phase) return one_phase.error().message;
  return *one_phase ? "commits in one phase" : "to be decided by XA COMMIT or XA ROLLBACK";
}

}  // namespace

std::string NameOf(EventType type) {
  const auto known =
      std::ranges::find(kNames, type, &std::pair<EventType, std::string_view>::first);
  if (known != std::end(kNames)) return std::string(known->second);
  return fmt::format("type {}", static_cast<unsigned>(type));
}

std::string DescribeRows(Bytes head, std::size_t body_bytes) {
  constexpr std::uint16_t kStatementEnd = 1;
  ByteCursor cursor(head);
  const std::uint64_t table_id = cursor.U48();
  const std::uint16_t flags = cursor.U16();
  return fmt::format("table id {}, {} bytes{}", table_id, body_bytes,
                     (flags & kStatementEnd) != 0 ? ", statement end" : "");
}

std::string DescribeEvent(const EventHeader& header, Bytes event, Bytes body) {
  if (IsRowsEvent(header.type)) return DescribeRows(body, body.size());
  switch (header.type) {
    case EventType::kFormatDescription:
    case EventType::kRotate:
    case EventType::kPreviousGtids:
    case EventType::kGtid:
    case EventType::kGtidTagged:
    case EventType::kAnonymousGtid:
      return Control(header, event, body);
    case EventType::kQuery:
    case EventType::kExecuteLoadQuery: {
      const auto query =
          header.type == EventType::kQuery ? ParseQuery(body) : ParseExecuteLoadQuery(body);
      return query ? Cut(query->text) : query.error().message;
    }
    case EventType::kRowsQuery:
      // The length in front of the text holds only its low eight bits.
      return Cut(AsText(body.subspan(std::min<std::size_t>(1, body.size()))));
    case EventType::kTableMap:
      return Table(body);
    case EventType::kXid:
      return "commits";
    case EventType::kXaPrepare:
      return Prepare(body);
    case EventType::kIncident:
      return std::string(ParseIncident(body));
    default:
      return fmt::format("{} bytes", body.size());
  }
}

}  // namespace outboxd::binlog
