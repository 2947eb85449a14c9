#include "binlog/transaction_reader.h"

#include <algorithm>
#include <utility>

#include "binlog/any_case.h"
#include "binlog/control_event.h"
#include "binlog/ddl.h"
#include "binlog/gtid_event.h"
#include "binlog/statement_concern.h"
#include "binlog/table_map.h"

namespace outboxd::binlog {
namespace {

// MySQL 9.7 libs/mysql/binlog/event/rows_event.h, Rows_event: table id of 6 bytes, flags of 2.
constexpr std::uint16_t kStatementEnd = 0x01;
// Of a rows event that has no rows and only ends its statement.
constexpr std::uint64_t kDummyTableId = 0x00FFFFFF;

// What the rows of all prepared transactions together may take of memory.
constexpr std::size_t kPreparedMemoryBytesMax = std::size_t{8} << 20;

// Prepared transactions that are named where the spill directory is full.
constexpr std::size_t kHoldersTold = 3;

bool IsWriteRows(EventType type) {
  return type == EventType::kWriteRows || type == EventType::kWriteRowsV1;
}

bool IsDeleteRows(EventType type) {
  return type == EventType::kDeleteRows || type == EventType::kDeleteRowsV1;
}

bool IsUpdateRows(EventType type) {
  return type == EventType::kUpdateRows || type == EventType::kUpdateRowsV1 ||
         type == EventType::kPartialUpdateRows;
}

// Nothing but the text of a statement, or a part of a file that it loads: the rows follow.
bool IsTextOnly(EventType type) {
  return type == EventType::kRowsQuery || type == EventType::kBeginLoadQuery;
}

// In any case the same name: servers of different versions write the digits differently.
std::string CanonicalXid(std::string_view xid) {
  std::string canonical(xid);
  for (char& c : canonical) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
  }
  return canonical;
}

}  // namespace

TransactionReader::TransactionReader(const TableFilter& filter,
                                     TransactionBufferOptions buffer_options)
    : filter_(filter), rows_(std::move(buffer_options)), prepared_(kPreparedMemoryBytesMax) {}

void TransactionReader::Reset(const StreamIdentity& stream, const Position& from) {
  DropOpenTransaction();
  place_.Begin(stream.by_gtid, from);
  may_lack_gtid_event_ = !place_.collects_gtids() && from.offset > kFirstOffset;
  has_checksums_ = stream.has_checksums;
  event_types_ = 255;
  largest_event_ = 0;
}

void TransactionReader::ForgetPrepared(std::set<std::string> prepared) {
  prepared_.Restart(std::move(prepared));
}

void TransactionReader::DropOpenTransaction() {
  state_ = State::kBetween;
  rows_.Clear();
  was_read_ = false;
  statement_tables_.clear();
  savepoints_.clear();
}

Error TransactionReader::Explained(Error error) const {
  const LogEnd* const begin = state_ == State::kBetween ? place_.StandsAtBegin() : nullptr;
  if (error.kind != ErrorKind::kCorrupt || begin == nullptr) return error;
  return {
      ErrorKind::kCorrupt,
      fmt::format("offset {} of {} is not where a transaction begins, or the log is damaged"
                  " there",
                  begin->offset, begin->file),
      fmt::format("'outboxd inspect --server --from file:{}:{}' shows the places in front of it",
                  begin->file, kFirstOffset)};
}

Result<TransactionReader::Outcome> TransactionReader::Feed(Bytes event) {
  auto header = ParseEventHeader(event);
  if (!header) return Fail(header.error(), "after {}", Place());
  place_.Advance(*header);
  largest_event_ = std::max(largest_event_, event.size());
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

  auto outcome = FeedGroup(*header, body);
  if (outcome == Outcome::kTransaction) outcome = Settle();
  if (!outcome) return Fail(WithHolders(std::move(outcome.error())), "at {}", Place());
  return outcome;
}

Error TransactionReader::WithHolders(Error error) const {
  const std::uint64_t all = rows_.all_spilled_bytes();
  if (error.kind != ErrorKind::kSpill || all == 0) return error;
  std::string text = fmt::format("{}; {} bytes are there", error.message, all);
  std::uint64_t others = all;
  const auto add = [&](std::uint64_t bytes, std::string_view holder) {
    text += fmt::format("{} {} of {}", others == all ? ":" : ",", bytes, holder);
    others -= std::min(bytes, others);
  };
  if (rows_.spilled_bytes() > 0) {
    add(rows_.spilled_bytes(),
        fmt::format("the transaction at {}:{}", transaction_.file, transaction_.begin_offset));
  }
  for (const auto* held : prepared_.LargestSpilled(kHoldersTold)) {
    add(held->rows.spilled_bytes(),
        fmt::format("XA transaction {}, prepared at {}:{}", held->transaction.xid,
                    held->transaction.file, held->transaction.begin_offset));
  }
  if (others > 0) add(others, "others");
  error.message = std::move(text);
  return error;
}

Result<TransactionReader::Outcome> TransactionReader::FeedGroup(const EventHeader& header,
                                                                Bytes body) {
  switch (state_) {
    case State::kBetween:
      return FeedBetween(header, body);
    case State::kOpened:
      return FeedOpened(header, body);
    case State::kInTransaction:
      return FeedInTransaction(header, body);
  }
  return Unexpected(header);
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
      auto rotate = ParseRotate(body);
      if (!rotate) return std::unexpected(rotate.error());
      return place_.OnRotate(*rotate) ? Outcome::kNewFile : Outcome::kNothing;
    }
    case EventType::kIncident:
      return Fail(ErrorKind::kUndecodable,
                  "the server lost binlog events ('{}'): what they held cannot be published",
                  ParseIncident(body))
          .Hint("compare the event table with the topic, then move on with 'outboxd position set'");
    case EventType::kPreviousGtids: {
      auto is_known = place_.OnPreviousGtids(body);
      if (!is_known) return std::unexpected(is_known.error());
      return *is_known ? Outcome::kNewFile : Outcome::kNothing;
    }
    case EventType::kHeartbeat:
    case EventType::kHeartbeatV2:
      if (state_ != State::kBetween) return Outcome::kNothing;
      return place_.OnHeartbeat(header, body) ? Outcome::kIdle : Outcome::kNothing;
    case EventType::kStop:
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

Result<TransactionReader::Outcome> TransactionReader::FeedBetween(const EventHeader& header,
                                                                  Bytes body) {
  const bool may_lack_gtid_event = std::exchange(may_lack_gtid_event_, false);
  switch (header.type) {
    case EventType::kGtid:
    case EventType::kGtidTagged:
    case EventType::kAnonymousGtid:
      break;
    case EventType::kQuery:
    case EventType::kTransactionPayload:
      if (!may_lack_gtid_event) return Unexpected(header);
      DropOpenTransaction();
      transaction_ = Transaction{};
      transaction_.file = place_.file();
      transaction_.begin_offset = place_.event_begin();
      state_ = State::kOpened;
      return FeedOpened(header, body);
    default:
      return Unexpected(header);
  }
  auto gtid_event = ParseGtidEvent(header.type, body);
  if (!gtid_event) return std::unexpected(gtid_event.error());
  DropOpenTransaction();
  transaction_ = Transaction{};
  transaction_.gtid = std::move(gtid_event->gtid);
  transaction_.file = place_.file();
  transaction_.begin_offset = place_.event_begin();
  transaction_.commit_us = gtid_event->original_commit_us;
  was_read_ = place_.HasRead(transaction_.gtid);
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
      return OnPayload(body);
    case EventType::kQuery:
      break;
    default:
      return Unexpected(header);
  }
  auto query = ParseQuery(body);
  if (!query) return std::unexpected(query.error());
  switch (query->kind) {
    case QueryKind::kXaStart:
      transaction_.xid = CanonicalXid(query->xid);
      [[fallthrough]];
    case QueryKind::kBegin:
      state_ = State::kInTransaction;
      return Outcome::kNothing;
    case QueryKind::kXaCommit:
    case QueryKind::kXaRollback:
      return OnXaDecision(*query);
    default:
      OnDdl(*query);
      return Complete();
  }
}

// The transaction as it would stand in the log otherwise, but for its GTID event.
Result<TransactionReader::Outcome> TransactionReader::OnPayload(Bytes body) {
  if (was_read_) return Complete();
  if (auto begun = payload_.Begin(body); !begun) return std::unexpected(begun.error());
  auto outcome = Result<Outcome>(Outcome::kNothing);
  while (true) {
    auto event = payload_.Next();
    if (!event) return std::unexpected(event.error());
    if (!event->has_value()) break;
    const EventType type = (*event)->header.type;
    if (outcome == Outcome::kTransaction || type == EventType::kTransactionPayload) {
      return Fail(ErrorKind::kCorrupt, "event of type {} at a wrong place in a TRANSACTION_PAYLOAD",
                  static_cast<unsigned>(type));
    }
    outcome = FeedPacked(**event);
    if (!outcome) return outcome;
  }
  if (outcome == Outcome::kTransaction) return outcome;
  return Fail(ErrorKind::kCorrupt, "a TRANSACTION_PAYLOAD ends within its transaction");
}

// A body that nobody reads is not unpacked: it may be as large as a row.
Result<TransactionReader::Outcome> TransactionReader::FeedPacked(
    const PayloadReader::Event& event) {
  const EventType type = event.header.type;
  if (IsTextOnly(type)) return FeedGroup(event.header, {});
  const bool is_rows = IsRowsEvent(type) && state_ == State::kInTransaction;
  if (is_rows) {
    auto takes = TakesRows(type, event.head);
    if (!takes) return std::unexpected(takes.error());
    if (!*takes) return Outcome::kNothing;
  }
  auto body = payload_.Body();
  if (!body) return std::unexpected(body.error());
  if (!is_rows) return FeedGroup(event.header, *body);
  auto kept = rows_.Append(type, *body);
  if (!kept) return std::unexpected(kept.error());
  return Outcome::kNothing;
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
      auto done = OnRows(header.type, body);
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
    case EventType::kTransactionContext:
    case EventType::kViewChange:
      return Outcome::kNothing;
    case EventType::kExecuteLoadQuery: {
      auto query = ParseExecuteLoadQuery(body);
      if (!query) return std::unexpected(query.error());
      OnStatement(*query);
      return Outcome::kNothing;
    }
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
      savepoints_.push_back({std::string(query->savepoint), rows_.size(), transaction_.has_rows});
      return Outcome::kNothing;
    case QueryKind::kRollbackToSavepoint:
      return OnRollbackToSavepoint(query->savepoint);
    case QueryKind::kOther:
      OnStatement(*query);
      return Outcome::kNothing;
    case QueryKind::kXaEnd:
      return Outcome::kNothing;
    case QueryKind::kBegin:
    case QueryKind::kXaStart:
    case QueryKind::kXaCommit:
    case QueryKind::kXaRollback:
      return Fail(ErrorKind::kCorrupt, "'{}' within an open transaction", query->text);
  }
  return Outcome::kNothing;
}

Result<TransactionReader::Outcome> TransactionReader::OnRollbackToSavepoint(
    std::string_view savepoint) {
  // Of several with one name the latest counts. The server compares them by utf8mb3_general_ci
  // (MySQL 9.7 sql/transaction.cc, find_savepoint()); names that are one only by their accents are
  // not found here, which stops the reader.
  const auto found = std::ranges::find_if(
      savepoints_.rbegin(), savepoints_.rend(),
      [savepoint](const Savepoint& set) { return EqualInAnyCase(set.name, savepoint); });
  if (found == savepoints_.rend()) {
    return Fail(ErrorKind::kUndecodable, "rollback to the unknown savepoint {}", savepoint);
  }
  rows_.Truncate(found->mark);
  transaction_.has_rows = found->has_rows;
  savepoints_.erase(found.base(), savepoints_.end());
  return Outcome::kNothing;
}

void TransactionReader::OnStatement(const Query& query) {
  if (was_read_ || !MayHaveChanged(query, filter_)) return;
  if (transaction_.statements++ == 0) {
    transaction_.statement = query.text.substr(0, kStatementBytesMax);
  }
}

void TransactionReader::OnDdl(const Query& query) {
  if (was_read_ || !MayConcern(query, filter_)) return;
  transaction_.ddl_effect = EffectOf(query.text);
  if (TableFilter::IsAboutTables(query.text)) {
    transaction_.ddl = query.text.substr(0, kStatementBytesMax);
  }
}

Result<TransactionReader::Outcome> TransactionReader::OnXaPrepare(Bytes body) {
  auto one_phase = ParseXaPrepareIsOnePhase(body);
  if (!one_phase) return std::unexpected(one_phase.error());
  // A decision would not find it.
  if (!*one_phase && transaction_.xid.empty()) {
    return Fail(ErrorKind::kCorrupt, "XA_PREPARE of a transaction that XA START did not begin");
  }
  if (*one_phase || was_read_) return Complete();
  // Nothing is to be published before the decision.
  transaction_.xa = transaction_.has_rows ? XaStep::kHeld : XaStep::kPrepared;
  transaction_.has_rows = false;
  return Complete();
}

Result<TransactionReader::Outcome> TransactionReader::OnXaDecision(const Query& query) {
  if (was_read_) return Complete();
  const bool is_commit = query.kind == QueryKind::kXaCommit;
  transaction_.xid = CanonicalXid(query.xid);
  transaction_.xa = is_commit ? XaStep::kCommitted : XaStep::kRolledBack;
  return Complete();
}

void TransactionReader::TakePrepared() {
  auto [was_seen, held] = prepared_.Take(transaction_.xid);
  transaction_.xa_is_unknown = !was_seen;
  if (!held) return;
  transaction_.prepared_gtid = std::move(held->transaction.gtid);
  transaction_.has_rows = transaction_.xa == XaStep::kCommitted;
  if (transaction_.has_rows) rows_ = std::move(held->rows);
}

Result<void> TransactionReader::OnTableMap(Bytes body) {
  auto name = ParseTableMapName(body);
  if (!name) return std::unexpected(name.error());
  std::erase_if(statement_tables_,
                [&](const StatementTable& table) { return table.id == name->table_id; });
  const auto selection = filter_.Match(name->schema_name, name->table_name);
  const bool matches = selection && !was_read_;
  statement_tables_.push_back(
      {.id = name->table_id,
       .matches = matches,
       .takes_updates = matches && filter_[*selection].takes_updates,
       .takes_all_changes = matches && filter_[*selection].takes_all_changes});
  return matches ? rows_.Append(EventType::kTableMap, body) : Result<void>();
}

Result<void> TransactionReader::OnRows(EventType type, Bytes body) {
  auto takes = TakesRows(type, body);
  if (!takes) return std::unexpected(takes.error());
  return *takes ? rows_.Append(type, body) : Result<void>();
}

Result<bool> TransactionReader::TakesRows(EventType type, Bytes head) {
  ByteCursor cursor(head);
  const std::uint64_t table_id = cursor.U48();
  const std::uint16_t flags = cursor.U16();
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "rows event of {} bytes is too short", head.size());
  }
  const bool ends_statement = (flags & kStatementEnd) != 0;
  const auto found = std::ranges::find(statement_tables_, table_id, &StatementTable::id);
  const bool has_map = found != statement_tables_.end();
  // Nobody could tell whether they are an event table's.
  if (!has_map && !(ends_statement && table_id == kDummyTableId)) {
    return Fail(ErrorKind::kCorrupt, "rows of table id {} without a table map", table_id);
  }
  const StatementTable table = has_map ? *found : StatementTable{};
  if (ends_statement) statement_tables_.clear();
  if (!table.matches) return false;
  if (IsWriteRows(type) || table.takes_all_changes || (table.takes_updates && IsUpdateRows(type))) {
    transaction_.has_rows = true;
    return true;
  }
  ++(IsDeleteRows(type) ? transaction_.deletes : transaction_.updates);
  return false;
}

Result<TransactionReader::Outcome> TransactionReader::Complete() {
  transaction_.end_offset = place_.event_end();
  state_ = State::kBetween;
  return Outcome::kTransaction;
}

Result<TransactionReader::Outcome> TransactionReader::Settle() {
  switch (transaction_.xa) {
    case XaStep::kNone:
      break;
    case XaStep::kHeld:
      if (auto held = prepared_.Hold(transaction_, std::move(rows_)); !held) {
        return std::unexpected(held.error());
      }
      break;
    case XaStep::kPrepared:
      prepared_.Remember(transaction_.xid);
      break;
    case XaStep::kCommitted:
    case XaStep::kRolledBack:
      TakePrepared();
      break;
  }
  place_.OnEnd(transaction_.gtid);
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
