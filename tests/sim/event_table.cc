#include "tests/sim/event_table.h"

#include <cstdlib>

namespace outboxd::sim {
namespace {

using Kind = Transaction::Kind;

void Expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

void Apply(const RowChange& change, EventTable& table) {
  if (change.kind == RowChange::Kind::kInsert) {
    Expect(table.rows.try_emplace(change.seq, EventTable::Row{change.event, 0}).second);
    return;
  }
  const auto at = table.rows.find(change.seq);
  Expect(at != table.rows.end() && at->second == EventTable::Row{change.event, change.version});
  switch (change.kind) {
    case RowChange::Kind::kInsert:
      break;
    case RowChange::Kind::kDelete:
      table.rows.erase(at);
      break;
    case RowChange::Kind::kMove: {
      const EventTable::Row row = at->second;
      table.rows.erase(at);
      Expect(table.rows.try_emplace(change.to, row).second);
      break;
    }
    case RowChange::Kind::kUpdate:
      ++at->second.version;
      break;
  }
}

bool ChangesTable(const Transaction& transaction) {
  switch (transaction.kind) {
    case Kind::kRollback:
    case Kind::kTorn:
    case Kind::kXaPrepare:
    case Kind::kXaRollback:
      return false;
    case Kind::kInsert:
    case Kind::kForeign:
    case Kind::kUpdate:
    case Kind::kStatement:
    case Kind::kDdl:
    case Kind::kXaCommit:
      break;
  }
  return true;
}

void Apply(const Transaction& transaction, EventTable& table) {
  if (!ChangesTable(transaction)) return;
  for (const RowChange& change : transaction.changes) Apply(change, table);
  if (transaction.kind != Kind::kDdl) return;
  if (transaction.ddl == Transaction::Ddl::kTruncate) table.rows.clear();
  if (transaction.ddl == Transaction::Ddl::kAddColumn) table.has_added_column = true;
}

std::set<std::uint64_t> KeysOf(const Transaction& transaction) {
  std::set<std::uint64_t> keys;
  for (const auto* changes : {&transaction.changes, &transaction.undone_changes}) {
    for (const RowChange& change : *changes) keys.insert({change.seq, change.to});
  }
  return keys;
}

}  // namespace outboxd::sim
