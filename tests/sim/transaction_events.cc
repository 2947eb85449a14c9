#include "tests/sim/transaction_events.h"

#include <span>
#include <string>

#include "tests/binlog/event_stream.h"
#include "tests/binlog/payload_bytes.h"
#include "tests/daemon/outbox_table.h"
#include "tests/sim/sequenced_rows.h"

namespace outboxd::sim {
namespace {

using binlog::EventBytes;
using binlog::EventType;
using Kind = Transaction::Kind;

EventBytes GtidEventBody(const Transaction& transaction) {
  constexpr std::uint64_t kLogicalTimestamps = 2;
  EventBytes body;
  body.Little(0, 1);  // Flags.
  if (transaction.gtid) {
    body.Text(binlog::AsText(transaction.gtid->origin.uuid)).Little(transaction.gtid->number, 8);
  } else {
    body.Text(std::string(16, '\0')).Little(0, 8);
  }
  body.Little(kLogicalTimestamps, 1).Little(0, 8).Little(0, 8);
  return body.Little(transaction.commit_us, 7);
}

void AppendImage(EventBytes& rows, const Event& event, std::size_t index) {
  const bool has_topic = event.fault != Event::Fault::kHasNoTopic;
  AppendOutboxImage(rows, IdOf(index),
                    has_topic ? std::optional<std::string_view>("order") : std::nullopt,
                    KeyOf(event), ValueOf(index));
}

void AddRows(EventParts& parts, const std::vector<std::size_t>& events, bool shares_rows_event,
             const History& history) {
  if (events.empty()) return;
  if (shares_rows_event) {
    parts.emplace_back(EventType::kTableMap, OutboxTableMap());
    EventBytes rows = OutboxRowsHead();
    for (const std::size_t index : events) AppendImage(rows, history.events[index], index);
    parts.emplace_back(EventType::kWriteRows, std::move(rows));
    return;
  }
  for (const std::size_t index : events) {
    parts.emplace_back(EventType::kTableMap, OutboxTableMap());
    EventBytes rows = OutboxRowsHead();
    AppendImage(rows, history.events[index], index);
    parts.emplace_back(EventType::kWriteRows, std::move(rows));
  }
}

EventType TypeOf(const RowChange& change) {
  switch (change.kind) {
    case RowChange::Kind::kInsert:
      break;
    case RowChange::Kind::kDelete:
      return EventType::kDeleteRows;
    case RowChange::Kind::kMove:
    case RowChange::Kind::kUpdate:
      return EventType::kUpdateRows;
  }
  return EventType::kWriteRows;
}

ImageColumns ColumnsOf(const Transaction& transaction, const RowChange& change, bool is_after) {
  const bool is_whole = !transaction.has_partial_images || change.kind == RowChange::Kind::kInsert;
  if (is_whole) return AllColumns(transaction.has_added_column);
  return is_after && change.kind == RowChange::Kind::kUpdate ? kPayloadOnly : kSeqOnly;
}

// Those of all its images.
std::vector<ImageColumns> ColumnsOf(const Transaction& transaction, const RowChange& change) {
  std::vector<ImageColumns> columns = {ColumnsOf(transaction, change, true)};
  if (TypeOf(change) == EventType::kUpdateRows) {
    columns.insert(columns.begin(), ColumnsOf(transaction, change, false));
  }
  return columns;
}

// One image of a row of the table that has a key.
void AppendImage(EventBytes& rows, const Transaction& transaction, const RowChange& change,
                 bool is_after, const History& history) {
  const Event& event = history.events[change.event];
  const bool has_topic = event.fault != Event::Fault::kHasNoTopic;
  const bool is_updated = is_after && change.kind == RowChange::Kind::kUpdate;
  const std::string id = IdOf(change.event);
  const std::string key = KeyOf(event);
  const std::string payload = ValueOf(change.event, change.version + (is_updated ? 1 : 0));
  sim::AppendImage(rows,
                   {.id = id,
                    .type = has_topic ? std::optional<std::string_view>("order") : std::nullopt,
                    .key = key,
                    .payload = payload,
                    .seq = is_after ? change.to : change.seq},
                   ColumnsOf(transaction, change, is_after));
}

// One ROWS event for each change or, shared, for changes of one kind and of the same columns that
// follow each other.
void AddRowChanges(EventParts& parts, const Transaction& transaction,
                   std::span<const RowChange> changes, const History& history) {
  for (std::size_t i = 0; i < changes.size();) {
    const EventType type = TypeOf(changes[i]);
    const bool is_update = type == EventType::kUpdateRows;
    parts.emplace_back(EventType::kTableMap, SequencedTableMap(transaction.has_added_column));
    const std::vector<ImageColumns> columns = ColumnsOf(transaction, changes[i]);
    EventBytes rows = SequencedRowsHead(transaction.has_added_column, columns);
    do {
      if (is_update) AppendImage(rows, transaction, changes[i], false, history);
      AppendImage(rows, transaction, changes[i], true, history);
      ++i;
    } while (transaction.shares_rows_event && i < changes.size() && TypeOf(changes[i]) == type &&
             ColumnsOf(transaction, changes[i]) == columns);
    parts.emplace_back(type, std::move(rows));
  }
}

void AddRowChanges(EventParts& parts, const Transaction& transaction, const History& history) {
  const std::span<const RowChange> changes = transaction.changes;
  const auto query = [&parts](std::string_view text) {
    parts.emplace_back(EventType::kQuery, binlog::QueryBody(text));
  };
  AddRowChanges(parts, transaction, changes.first(transaction.undone_at), history);
  if (!transaction.undone_changes.empty()) {
    query("SAVEPOINT `s`");
    AddRowChanges(parts, transaction, transaction.undone_changes, history);
    query("ROLLBACK TO `s`");
  }
  AddRowChanges(parts, transaction, changes.subspan(transaction.undone_at), history);
}

std::string TextOf(Transaction::Ddl ddl) {
  switch (ddl) {
    case Transaction::Ddl::kForeign:
      break;
    case Transaction::Ddl::kTruncate:
      return "TRUNCATE TABLE shop.outbox";
    case Transaction::Ddl::kAddColumn:
      return "ALTER TABLE shop.outbox ADD COLUMN c INT";
  }
  return "CREATE TABLE shop.invoices (id INT)";
}

void AddUpdate(EventParts& parts) {
  parts.emplace_back(EventType::kTableMap, OutboxTableMap());
  EventBytes rows = OutboxRowsHead();
  rows.Little(0x0f, 1);
  AppendOutboxImage(rows, "u", "order", "k0", "before");
  AppendOutboxImage(rows, "u", "order", "k0", "after");
  parts.emplace_back(EventType::kUpdateRows, std::move(rows));
}

void AddForeign(EventParts& parts) {
  parts.emplace_back(EventType::kTableMap,
                     binlog::TableMapBody(binlog::kForeignId, "shop", "orders"));
  parts.emplace_back(EventType::kWriteRows, binlog::RowsBody(binlog::kForeignId));
}

void AddChanges(EventParts& parts, const Transaction& transaction, const History& history) {
  if (transaction.padding_bytes > 0) {
    parts.emplace_back(EventType::kRowsQuery,
                       EventBytes().Text(std::string(transaction.padding_bytes, 'x')));
  }
  if (transaction.kind != Kind::kUpdate) AddForeign(parts);
  if (transaction.kind == Kind::kUpdate) AddUpdate(parts);
  if (transaction.kind == Kind::kStatement) {
    parts.emplace_back(EventType::kQuery, binlog::QueryBody("INSERT INTO outbox SELECT 1",
                                                            binlog::UpdatedSchemas({"shop"})));
  }
  if (!transaction.changes.empty() || !transaction.undone_changes.empty()) {
    return AddRowChanges(parts, transaction, history);
  }
  AddRows(parts, transaction.events, transaction.shares_rows_event, history);
  if (transaction.undone.empty()) return;
  parts.emplace_back(EventType::kQuery, binlog::QueryBody("SAVEPOINT `s`"));
  AddRows(parts, transaction.undone, transaction.shares_rows_event, history);
  parts.emplace_back(EventType::kQuery, binlog::QueryBody("ROLLBACK TO `s`"));
}

// All but the GTID event, as one TRANSACTION_PAYLOAD.
EventParts Compressed(const EventParts& parts) {
  std::vector<std::uint8_t> payload;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto event = binlog::MakeEvent(parts[i].first, parts[i].second, 0);
    payload.insert(payload.end(), event.begin(), event.end());
  }
  return {parts[0], {EventType::kTransactionPayload, binlog::CompressedBody(payload)}};
}

}  // namespace

EventParts EventsOf(const Transaction& transaction, const History& history) {
  EventParts parts;
  parts.emplace_back(transaction.gtid ? EventType::kGtid : EventType::kAnonymousGtid,
                     GtidEventBody(transaction));
  const auto query = [&parts](const std::string& text) {
    parts.emplace_back(EventType::kQuery, binlog::QueryBody(text));
  };
  switch (transaction.kind) {
    case Kind::kDdl:
      query(TextOf(transaction.ddl));
      return parts;
    case Kind::kXaCommit:
      query("XA COMMIT " + transaction.xid);
      return parts;
    case Kind::kXaRollback:
      query("XA ROLLBACK " + transaction.xid);
      return parts;
    case Kind::kXaPrepare:
      query("XA START " + transaction.xid);
      AddChanges(parts, transaction, history);
      query("XA END " + transaction.xid);
      parts.emplace_back(EventType::kXaPrepare, binlog::XaPrepareBody(false));
      break;
    case Kind::kRollback:
      query("BEGIN");
      AddChanges(parts, transaction, history);
      query("ROLLBACK");
      break;
    case Kind::kInsert:
    case Kind::kForeign:
    case Kind::kUpdate:
    case Kind::kStatement:
    case Kind::kTorn:
      query("BEGIN");
      AddChanges(parts, transaction, history);
      parts.emplace_back(EventType::kXid, EventBytes().Little(1, 8));
      break;
  }
  return transaction.is_compressed ? Compressed(parts) : parts;
}

}  // namespace outboxd::sim
