#include "tests/sim/transaction_events.h"

#include <string>

#include "tests/binlog/event_stream.h"
#include "tests/binlog/payload_bytes.h"
#include "tests/daemon/outbox_table.h"

namespace outboxd::sim {
namespace {

using binlog::EventBytes;
using binlog::EventType;
using Kind = Transaction::Kind;

EventBytes GtidEventBody(const Transaction& transaction) {
  EventBytes body;
  if (!transaction.gtid) return body.Little(0, 1).Text(std::string(16, '\0')).Little(0, 8);
  body.Little(0, 1).Text(binlog::AsText(transaction.gtid->origin.uuid));
  return body.Little(transaction.gtid->number, 8);
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
      query("CREATE TABLE shop.invoices (id INT)");
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
