// A stream of whole binlog events without checksums, cut by the length that each event's header
// tells. Reads it as the relay does; every table is an event table.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
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

// The tables of the recorded log begin with `seq`; further columns are wanted of tables t, in
// another order than they stand in, one of them twice.
const TableFilter& EveryTable() {
  static const TableFilter filter({{"*", "t", {"v", "seq", "v"}, {"seq", "v"}},  //
                                   {"*", "*", {"seq"}, {"seq", "v"}}});
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

void ReadRows(TransactionReader& transactions, RowReader& rows) {
  const Transaction& transaction = transactions.transaction();
  rows.Begin(transactions.rows());
  auto row = rows.Next();
  for (; row && *row != nullptr; row = rows.Next()) {
    if (!transaction.has_rows) __builtin_trap();
    if ((*row)->values.size() != EveryTable()[(*row)->table].columns.size()) __builtin_trap();
    ReadValues((*row)->values);
  }
}

}  // namespace
}  // namespace outboxd::binlog

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  static const CharacterSets character_sets;
  static const std::string spill_directory = std::filesystem::temp_directory_path();
  const StreamIdentity identity{.server_uuid = {}, .by_gtid = true, .has_checksums = false};
  TransactionReader transactions(EveryTable(), {.spill_directory = spill_directory,
                                                .memory_bytes_max = kMemoryBytesMax,
                                                .spill_bytes_max = kSpillBytesMax});
  RowReader rows(EveryTable(), character_sets);
  transactions.Reset(identity, {.gtids = {}, .file = "binlog.000001", .offset = 4});
  Bytes stream(bytes, size);
  while (!stream.empty()) {
    const auto outcome = transactions.Feed(TakeEvent(stream));
    if (!outcome) {
      const Position boundary = transactions.position();
      transactions.Reset(identity, boundary);
    } else if (*outcome == TransactionReader::Outcome::kTransaction) {
      ReadRows(transactions, rows);
      const auto& gtid = transactions.transaction().gtid;
      if (gtid && !transactions.position().gtids.Contains(*gtid)) __builtin_trap();
    }
  }
  // What the checkpoint keeps of a position must be read again as the same.
  const GtidSet& gtids = transactions.position().gtids;
  if (GtidSet::Parse(gtids.ToText()) != gtids) __builtin_trap();
  return 0;
}
