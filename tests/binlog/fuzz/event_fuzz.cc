// A stream of whole binlog events without checksums, cut by the length that each event's header
// tells. Reads it as the relay does, once by GTID and once by file; every table is an event table.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "binlog/row_reader.h"
#include "binlog/transaction_reader.h"
#include "tests/binlog/fuzz/read_values.h"

namespace outboxd::binlog {
namespace {

// Small, so that short inputs reach the spill file.
constexpr std::size_t kMemoryBytesMax = 8 << 10;
constexpr std::uint64_t kSpillBytesMax = 48 << 10;

// Tables of the recorded log begin with `seq`, and most have a name in the plural: all columns are
// wanted of those. Of tables t others are wanted in another order than they stand in, one of them
// twice. Of all others every change is wanted.
const TableFilter& EveryTable() {
  static const TableFilter filter({{.schema_pattern = "*",
                                    .table_pattern = "t",
                                    .columns = {"v", "seq", "v"},
                                    .declared_columns = {"seq", "v"},
                                    .declared_defaults = {{"v", "given"}, {"seq", std::nullopt}},
                                    .takes_updates = true},
                                   {.schema_pattern = "*",
                                    .table_pattern = "*s",
                                    .columns = {"seq"},
                                    .declared_columns = {},
                                    .takes_updates = true,
                                    .whole_row = WholeRow::kNumbered},
                                   {.schema_pattern = "*",
                                    .table_pattern = "*",
                                    .columns = {"seq"},
                                    .declared_columns = {"seq", "v"},
                                    .takes_all_changes = true,
                                    .key_columns = {"v", "seq", "seq"}}});
  return filter;
}

// Takes the next event off the front; in memory of its own, so that a read beyond its end is seen.
std::vector<std::uint8_t> TakeEvent(Bytes& stream) {
  constexpr std::size_t kLengthOffset = 9;
  std::size_t size = stream.size();
  if (size >= kEventHeaderBytes) {
    const auto told = static_cast<std::size_t>(LoadLittle<4>(&stream[kLengthOffset]));
    if (told >= kEventHeaderBytes) size = std::min(size, told);
  }
  const Bytes event = stream.first(size);
  stream = stream.subspan(size);
  return {event.begin(), event.end()};
}

void CheckRow(const Row& row) {
  const TableSelection& selection = EveryTable()[row.selection];
  if (row.values.size() != row.columns.size()) __builtin_trap();
  const bool is_whole = selection.whole_row != WholeRow::kNo;
  if (row.values.size() < selection.columns.size()) __builtin_trap();
  if (!is_whole && row.values.size() != selection.columns.size()) __builtin_trap();
  const bool takes_all = selection.takes_all_changes;
  const bool is_update = row.change == RowChange::kUpdate;
  if (is_update && !selection.takes_updates && !takes_all) __builtin_trap();
  if (row.change == RowChange::kDelete && !takes_all) __builtin_trap();
  if (row.key.size() != (takes_all ? selection.key_columns.size() : 0)) __builtin_trap();
  const std::size_t before_count = takes_all && is_update ? row.values.size() : 0;
  if (row.before.size() != before_count) __builtin_trap();
  if (row.key_before.size() != (before_count != 0 ? row.key.size() : 0)) __builtin_trap();
  ReadValues(row.values);
  ReadValues(row.key);
  ReadValues(row.before);
  ReadValues(row.key_before);
}

void ReadRows(TransactionReader& transactions, RowReader& rows) {
  const bool has_rows = transactions.transaction().has_rows;
  rows.Begin(transactions.rows());
  auto row = rows.Next();
  for (; row && *row != nullptr; row = rows.Next()) {
    if (!has_rows) __builtin_trap();
    CheckRow(**row);
  }
}

void CheckTransaction(const TransactionReader& transactions) {
  const Transaction& transaction = transactions.transaction();
  const GtidSet& gtids = transactions.position().gtids;
  const bool counts = transactions.collects_gtids();
  if (counts && transaction.gtid && !gtids.Contains(*transaction.gtid)) __builtin_trap();
  switch (transaction.xa) {
    case XaStep::kHeld:
      if (transactions.prepared().held_count() == 0) __builtin_trap();
      [[fallthrough]];
    case XaStep::kPrepared:
    case XaStep::kRolledBack:
      if (transaction.has_rows) __builtin_trap();
      break;
    case XaStep::kNone:
    case XaStep::kCommitted:
      break;
  }
}

void ReadStream(Bytes stream, bool by_gtid) {
  static const CharacterSets character_sets;
  static const std::string spill_directory = std::filesystem::temp_directory_path();
  const StreamIdentity identity{.server_uuid = {}, .by_gtid = by_gtid, .has_checksums = false};
  TransactionReader transactions(EveryTable(), {.spill_directory = spill_directory,
                                                .memory_bytes_max = kMemoryBytesMax,
                                                .spill_bytes_max = kSpillBytesMax});
  RowReader rows(EveryTable(), character_sets);
  transactions.Reset(identity, {.gtids = {}, .file = "binlog.000001", .offset = 4});
  while (!stream.empty()) {
    const auto outcome = transactions.Feed(TakeEvent(stream));
    if (!outcome) {
      const Position boundary = transactions.position();
      transactions.Reset(identity, boundary);
    } else if (*outcome == TransactionReader::Outcome::kTransaction) {
      CheckTransaction(transactions);
      ReadRows(transactions, rows);
    }
  }
  // What the checkpoint keeps of a position must be read again as the same.
  const GtidSet& gtids = transactions.position().gtids;
  if (GtidSet::Parse(gtids.ToText()) != gtids) __builtin_trap();
  if (by_gtid && !transactions.prepared().held_gtids().IsSubsetOf(gtids)) __builtin_trap();
}

}  // namespace
}  // namespace outboxd::binlog

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using outboxd::binlog::ReadStream;
  ReadStream({bytes, size}, true);
  ReadStream({bytes, size}, false);
  return 0;
}
