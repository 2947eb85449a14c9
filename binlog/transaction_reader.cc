#include "binlog/transaction_reader.h"

#include <algorithm>

#include "binlog/control_event.h"
#include "binlog/gtid_event.h"
#include "binlog/query_event.h"
#include "binlog/table_map.h"

namespace outboxd::binlog {
namespace {

// MySQL 9.7 libs/mysql/binlog/event/rows_event.h, Rows_event: table id of 6 bytes, flags of 2.
constexpr std::uint16_t kStatementEnd = 0x01;

constexpr std::uint64_t kFirstOffset = 4;  // Behind the magic number of a file.

bool IsWriteRows(EventType type) {
  return type == EventType::kWriteRows || type == EventType::kWriteRowsV1;
}

bool IsDeleteRows(EventType type) {
  return type == EventType::kDeleteRows || type == EventType::kDeleteRowsV1;
}

}  // namespace

TransactionReader::TransactionReader(const TableFilter& filter,
                                     TransactionBufferOptions buffer_options)
    : filter_(filter), rows_(std::move(buffer_options)) {}

void TransactionReader::Reset(const StreamIdentity& stream, const Position& from) {
  DropOpenTransaction();
  by_gtid_ = stream.by_gtid;
  has_checksums_ = stream.has_checksums;
  event_types_ = 255;
  file_ = from.file;
  event_begin_ = event_end_ = from.offset;
  position_ = from;
}

void TransactionReader::DropOpenTransaction() {
  state_ = State::kBetween;
  rows_.Clear();
  in_xa_ = false;
  matching_table_ids_.clear();
  savepoints_.clear();
}

std::string TransactionReader::Place() const { return fmt::format("{}:{}", file_, event_begin_); }

Result<TransactionReader::Outcome> TransactionReader::Feed(Bytes event) {
  auto header = ParseEventHeader(event);
  if (!header) return Fail(header.error(), "after {}", Place());
  Advance(*header);
  const bool is_format_description = header->type == EventType::kFormatDescription;
  if (has_checksums_ && !is_format_description && !ChecksumIsRight(event)) {
    return Fail(ErrorKind::kCorrupt, "checksum of the event at {} (type {}, {} bytes) is wrong",
                Place(), static_cast<unsigned>(header->type), event.size());
  }
  const std::size_t tail_bytes = has_checksums_ ? kChecksumBytes : 0;
  if (event.size() < kEventHeaderBytes + tail_bytes) {
    return Fail(ErrorKind::kCorrupt, "the event at {} has no room for its checksum", Place());
  }
  const Bytes body =
      event.subspan(kEventHeaderBytes, event.size() - kEventHeaderBytes - tail_bytes);

  auto framing = FeedFraming(*header, event, body);
  if (!framing) return Fail(framing.error(), "at {}", Place());
  if (framing->has_value()) return **framing;

  Result<Outcome> outcome = Outcome::kNothing;
  switch (state_) {
    case State::kBetween:
      outcome = FeedBetween(*header, body);
      break;
    case State::kOpened:
      outcome = FeedOpened(*header, body);
      break;
    case State::kInTransaction:
      outcome = FeedInTransaction(*header, body);
      break;
  }
  if (!outcome) return Fail(outcome.error(), "at {}", Place());
  return outcome;
}

// log_pos holds 32 bits only and is 0 in events that stand in no file. Events follow one another
// closely, so that the upper half of the offset can be carried along.
void TransactionReader::Advance(const EventHeader& header) {
  const bool is_in_file = header.log_pos != 0 && (header.flags & EventHeader::kArtificial) == 0 &&
                          header.type != EventType::kHeartbeat &&
                          header.type != EventType::kHeartbeatV2;
  if (!is_in_file) {
    event_begin_ = event_end_;
    return;
  }
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  std::uint64_t end = (event_end_ & ~kLow) | header.log_pos;
  if (end < event_end_) end += kLow + 1;
  event_end_ = end;
  event_begin_ = end - std::min<std::uint64_t>(end, header.length);
}

Result<std::optional<TransactionReader::Outcome>> TransactionReader::FeedFraming(
    const EventHeader& header, Bytes event, Bytes body) {
  switch (header.type) {
    case EventType::kFormatDescription: {
      auto done = OnFormatDescription(header, event);
      if (!done) return std::unexpected(done.error());
      return Outcome::kNothing;
    }
    case EventType::kRotate: {
      auto outcome = OnRotate(body);
      if (!outcome) return std::unexpected(outcome.error());
      return *outcome;
    }
    case EventType::kIncident:
      return Fail(ErrorKind::kUndecodable,
                  "the server lost binlog events ('{}'): what they held cannot be published"
                  " HINT: compare the event table with the topic, then move on with"
                  " 'outboxd position set'",
                  ParseIncident(body));
    case EventType::kStop:
    case EventType::kPreviousGtids:
    case EventType::kHeartbeat:
    case EventType::kHeartbeatV2:
      return Outcome::kNothing;
    default:
      break;
  }
  // A type that the server itself does not know is damage, whatever its flags say.
  if (static_cast<std::uint8_t>(header.type) > event_types_) {
    return Fail(ErrorKind::kCorrupt, "event type {} is above the server's {}",
                static_cast<unsigned>(header.type), event_types_);
  }
  return std::nullopt;
}

Result<void> TransactionReader::OnFormatDescription(const EventHeader& header, Bytes event) {
  auto format = ParseFormatDescription(event);
  if (!format) return std::unexpected(format.error());
  if (format->has_checksums && !ChecksumIsRight(event)) {
    return Fail(ErrorKind::kCorrupt, "checksum of the FORMAT_DESCRIPTION event is wrong");
  }
  has_checksums_ = format->has_checksums;
  event_types_ = format->event_types;
  // At the start of a file (and not repeated for a dump from its middle): what was left open by a
  // crash of the server was never committed.
  if (header.log_pos != 0) DropOpenTransaction();
  return {};
}

Result<TransactionReader::Outcome> TransactionReader::OnRotate(Bytes body) {
  auto rotate = ParseRotate(body);
  if (!rotate) return std::unexpected(rotate.error());
  file_ = rotate->file;
  event_begin_ = event_end_ = std::max(rotate->offset, kFirstOffset);
  // A dump by GTID begins at the start of the file that `position_` may already be in.
  if (file_ == position_.file && event_end_ <= position_.offset) return Outcome::kNothing;
  position_.file = file_;
  position_.offset = event_end_;
  return Outcome::kNewFile;
}

Result<TransactionReader::Outcome> TransactionReader::FeedBetween(const EventHeader& header,
                                                                  Bytes body) {
  switch (header.type) {
    case EventType::kGtid:
    case EventType::kGtidTagged:
    case EventType::kAnonymousGtid:
      break;
    default:
      return Unexpected(header);
  }
  auto gtid_event = ParseGtidEvent(header.type, body);
  if (!gtid_event) return std::unexpected(gtid_event.error());
  DropOpenTransaction();
  transaction_.gtid = std::move(gtid_event->gtid);
  transaction_.file = file_;
  transaction_.begin_offset = event_begin_;
  transaction_.commit_us = gtid_event->original_commit_us;
  transaction_.has_rows = false;
  transaction_.updates = transaction_.deletes = 0;
  state_ = State::kOpened;
  return Outcome::kNothing;
}

Result<TransactionReader::Outcome> TransactionReader::FeedOpened(const EventHeader& header,
                                                                 Bytes body) {
  switch (header.type) {
    case EventType::kIntvar:
    case EventType::kRand:
    case EventType::kUserVar:
      return Outcome::kNothing;  // They announce a statement.
    case EventType::kTransactionContext:
      return Outcome::kNothing;
    case EventType::kViewChange:
      return Outcome::kNothing;
    case EventType::kTransactionPayload:
      return Fail(ErrorKind::kUndecodable,
                  "compressed transactions are not supported by this version HINT: SET PERSIST"
                  " binlog_transaction_compression = OFF, and pass this transaction with 'outboxd"
                  " position set' only if it holds no event");
    case EventType::kQuery:
      break;
    default:
      return Unexpected(header);
  }
  auto query = ParseQuery(body);
  if (!query) return std::unexpected(query.error());
  if (query->kind == QueryKind::kBegin || query->kind == QueryKind::kXaStart) {
    in_xa_ = query->kind == QueryKind::kXaStart;
    state_ = State::kInTransaction;
    return Outcome::kNothing;
  }
  return Complete();  // DDL, XA COMMIT or XA ROLLBACK: a group of one.
}

Result<TransactionReader::Outcome> TransactionReader::FeedInTransaction(const EventHeader& header,
                                                                        Bytes body) {
  switch (header.type) {
    case EventType::kTableMap: {
      auto done = OnTableMap(body);
      if (!done) return std::unexpected(done.error());
      return Outcome::kNothing;
    }
    case EventType::kWriteRows:
    case EventType::kWriteRowsV1:
    case EventType::kUpdateRows:
    case EventType::kUpdateRowsV1:
    case EventType::kPartialUpdateRows:
    case EventType::kDeleteRows:
    case EventType::kDeleteRowsV1: {
      auto done = OnRows(header, body);
      if (!done) return std::unexpected(done.error());
      return Outcome::kNothing;
    }
    case EventType::kXid:
      return Complete();
    case EventType::kXaPrepare:
      return OnXaPrepare(body);
    case EventType::kQuery:
      return OnQueryInTransaction(body);
    case EventType::kRowsQuery:
    case EventType::kIntvar:
    case EventType::kRand:
    case EventType::kUserVar:
    case EventType::kBeginLoadQuery:
    case EventType::kExecuteLoadQuery:
    case EventType::kTransactionContext:
    case EventType::kViewChange:
      return Outcome::kNothing;
    default:
      return Unexpected(header);
  }
}

Result<TransactionReader::Outcome> TransactionReader::OnQueryInTransaction(Bytes body) {
  auto query = ParseQuery(body);
  if (!query) return std::unexpected(query.error());
  switch (query->kind) {
    case QueryKind::kCommit:
      return Complete();
    case QueryKind::kRollback:
      // Only with non-transactional tables in it does such a transaction stand in the log.
      rows_.Clear();
      transaction_.has_rows = false;
      return Complete();
    case QueryKind::kSavepoint:
      savepoints_.push_back({std::string(query->savepoint), rows_.size()});
      return Outcome::kNothing;
    case QueryKind::kRollbackToSavepoint: {
      // Of several with one name the latest counts.
      const auto found = std::ranges::find(savepoints_.rbegin(), savepoints_.rend(),
                                           query->savepoint, &Savepoint::name);
      if (found == savepoints_.rend()) {
        return Fail(ErrorKind::kUndecodable, "rollback to the unknown savepoint {}",
                    query->savepoint);
      }
      rows_.Truncate(found->mark);
      transaction_.has_rows = transaction_.has_rows && found->mark > 0;
      savepoints_.erase(found.base(), savepoints_.end());
      return Outcome::kNothing;
    }
    case QueryKind::kXaEnd:
    case QueryKind::kOther:
      return Outcome::kNothing;
    case QueryKind::kBegin:
    case QueryKind::kXaStart:
    case QueryKind::kXaCommit:
    case QueryKind::kXaRollback:
      return Fail(ErrorKind::kCorrupt, "'{}' within an open transaction", query->text);
  }
  return Outcome::kNothing;
}

Result<TransactionReader::Outcome> TransactionReader::OnXaPrepare(Bytes body) {
  auto one_phase = ParseXaPrepareIsOnePhase(body);
  if (!one_phase) return std::unexpected(one_phase.error());
  if (!*one_phase && transaction_.has_rows) {
    return Fail(ErrorKind::kUndecodable,
                "a prepared XA transaction inserted into an event table: this version cannot hold"
                " it until XA COMMIT HINT: insert events in ordinary transactions, or use XA COMMIT"
                " ... ONE PHASE");
  }
  return Complete();
}

Result<void> TransactionReader::OnTableMap(Bytes body) {
  auto name = ParseTableMapName(body);
  if (!name) return std::unexpected(name.error());
  std::erase(matching_table_ids_, name->table_id);
  if (!filter_.Match(name->schema_name, name->table_name)) return {};
  matching_table_ids_.push_back(name->table_id);
  return rows_.Append(EventType::kTableMap, body);
}

Result<void> TransactionReader::OnRows(const EventHeader& header, Bytes body) {
  ByteCursor cursor(body);
  const std::uint64_t table_id = cursor.U48();
  const std::uint16_t flags = cursor.U16();
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "rows event of {} bytes is too short", body.size());
  }
  const bool matches =
      std::ranges::find(matching_table_ids_, table_id) != matching_table_ids_.end();
  if ((flags & kStatementEnd) != 0) matching_table_ids_.clear();
  if (!matches) return {};
  if (IsWriteRows(header.type)) {
    transaction_.has_rows = true;
    return rows_.Append(header.type, body);
  }
  ++(IsDeleteRows(header.type) ? transaction_.deletes : transaction_.updates);
  return {};
}

Result<TransactionReader::Outcome> TransactionReader::Complete() {
  transaction_.end_offset = event_end_;
  // In a stream by file the set would lack what came before it began.
  if (by_gtid_ && transaction_.gtid) position_.gtids.Add(*transaction_.gtid);
  position_.file = file_;
  position_.offset = event_end_;
  state_ = State::kBetween;
  return Outcome::kTransaction;
}

Result<TransactionReader::Outcome> TransactionReader::Unexpected(const EventHeader& header) const {
  static constexpr const char* kPlaces[] = {"between transactions", "behind a GTID event",
                                            "within a transaction"};
  if ((header.flags & EventHeader::kIgnorable) != 0) return Outcome::kNothing;
  const bool is_known = header.type <= EventType::kGtidTagged;
  return Fail(is_known ? ErrorKind::kCorrupt : ErrorKind::kUndecodable,
              "binlog event of type {} {} is not understood", static_cast<unsigned>(header.type),
              kPlaces[static_cast<std::size_t>(state_)]);
}

}  // namespace outboxd::binlog
