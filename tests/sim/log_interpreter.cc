#include "tests/sim/log_interpreter.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "tests/daemon/outbox_table.h"
#include "tests/sim/faults.h"

namespace outboxd::sim {

using binlog::ByteCursor;
using binlog::Bytes;
using binlog::EventType;

namespace {

std::string_view TextIn(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t NumberIn(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

LoggedImage ImageAt(ByteCursor& rows) {
  const std::uint8_t nulls = rows.U8();
  const auto text = [&rows] { return TextIn(rows.Take(rows.U8())); };
  const std::string_view id = text();
  if ((nulls & 0x02) == 0) text();
  text();
  const std::string_view payload = text();
  const std::size_t dot = payload.find('.');
  return {.event = NumberIn(id.substr(1)),
          .version = dot == std::string_view::npos ? 0 : NumberIn(payload.substr(dot + 1)),
          .seq = rows.U64()};
}

}  // namespace

LogInterpreter::Outcome LogInterpreter::Feed(Bytes event) {
  const auto header = binlog::ParseEventHeader(event);
  if (!header) throw Violation{"an event that cannot be read"};
  if (header->log_pos != 0) offset_ = header->log_pos;
  Bytes body = event.subspan(binlog::kEventHeaderBytes);
  if (has_checksums_) body = body.first(body.size() - binlog::kChecksumBytes);
  return Take(header->type, body);
}

LogInterpreter::Outcome LogInterpreter::Take(EventType type, Bytes body) {
  ByteCursor cursor(body);
  switch (type) {
    case EventType::kHeartbeat:
      return Outcome::kHeartbeat;
    case EventType::kRotate:
      offset_ = cursor.U64();
      file_ = TextIn(cursor.Rest());
      return Outcome::kNothing;
    case EventType::kGtid:
    case EventType::kAnonymousGtid:
      open_.clear();
      xid_.clear();
      return Outcome::kNothing;
    case EventType::kQuery:
      return OnQuery(body);
    case EventType::kTableMap:
      OnTableMap(body);
      return Outcome::kNothing;
    case EventType::kWriteRows:
    case EventType::kUpdateRows:
    case EventType::kDeleteRows:
      OnRows(type, body);
      return Outcome::kNothing;
    case EventType::kXid:
      committed_ = std::exchange(open_, {});
      return Outcome::kTransaction;
    case EventType::kXaPrepare:
      prepared_[xid_] = std::exchange(open_, {});
      return Outcome::kNothing;
    default:
      return Outcome::kNothing;
  }
}

LogInterpreter::Outcome LogInterpreter::OnQuery(Bytes body) {
  ByteCursor cursor(body);
  cursor.Skip(8);
  const std::size_t schema_bytes = cursor.U8();
  cursor.Skip(2);
  cursor.Skip(cursor.U16() + schema_bytes + 1);
  const std::string_view text = TextIn(cursor.Rest());
  const auto behind = [text](std::string_view begin) -> std::optional<std::string> {
    if (!text.starts_with(begin)) return std::nullopt;
    return std::string(text.substr(begin.size()));
  };
  if (auto xid = behind("XA START ")) xid_ = *std::move(xid);
  if (text.starts_with("SAVEPOINT")) savepoint_ = open_.size();
  if (text.starts_with("ROLLBACK TO")) open_.resize(savepoint_);
  if (text == "ROLLBACK") open_.clear();
  if (const auto xid = behind("XA ROLLBACK ")) prepared_.erase(*xid);
  if (const auto xid = behind("XA COMMIT ")) {
    // One that was prepared before the dump begins is not known.
    committed_ = std::exchange(prepared_[*xid], {});
    return Outcome::kTransaction;
  }
  return text.starts_with("TRUNCATE") ? Outcome::kTruncation : Outcome::kNothing;
}

void LogInterpreter::OnTableMap(Bytes body) {
  ByteCursor cursor(body);
  const bool is_outbox = cursor.U48() == kOutboxTableId;
  cursor.Skip(2);
  cursor.Skip(cursor.U8() + std::uint64_t{1});
  cursor.Skip(cursor.U8() + std::uint64_t{1});
  if (is_outbox) columns_ = cursor.U8();
}

void LogInterpreter::OnRows(EventType type, Bytes body) {
  ByteCursor rows(body);
  if (rows.U48() != kOutboxTableId) return;
  rows.Skip(4);
  if (rows.U8() != columns_) throw Violation{"rows that do not fit their table map"};
  rows.Skip(type == EventType::kUpdateRows ? 2 : 1);
  while (!rows.AtEnd()) {
    LoggedChange& change = open_.emplace_back();
    if (type != EventType::kWriteRows) change.before = ImageAt(rows);
    if (type != EventType::kDeleteRows) change.after = ImageAt(rows);
  }
  if (!rows.ok()) throw Violation{"rows that are cut off"};
}

}  // namespace outboxd::sim
