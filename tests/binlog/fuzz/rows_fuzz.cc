// Two bytes, of which the lower 13 bits are a length, then the body of a TABLE_MAP event of that
// length and the body of a ROWS event; the upper bits tell which kind of event it is and whether
// the columns have defaults.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/row_decoder.h"
#include "binlog/table_map.h"
#include "tests/binlog/fuzz/read_values.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint64_t kMapSizeMask = 0x1FFF;
constexpr std::uint64_t kHasDefaults = 0x2000;
constexpr std::uint64_t kIsV1 = 0x4000;
constexpr std::uint64_t kIsUpdate = 0x8000;

std::vector<ColumnDefault> DefaultsOf(const TableMap& map) {
  std::vector<ColumnDefault> defaults;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    defaults.push_back({i, i % 2 == 0 ? ColumnValue("given") : std::nullopt});
  }
  return defaults;
}

std::size_t CountRows(RowDecoder& decoder, std::size_t width) {
  std::size_t count = 0;
  auto has_row = decoder.NextRow();
  for (; has_row && *has_row; has_row = decoder.NextRow()) {
    if (decoder.values().size() != width) __builtin_trap();
    ReadValues(decoder.values());
    if (!decoder.key().empty()) {
      ReadValues(decoder.key());
      ReadValues(decoder.before());
      ReadValues(decoder.key_before());
    }
    ++count;
  }
  return count;
}

// The columns that can be decoded, and one of them once more.
std::vector<std::size_t> DecodableColumns(const TableMap& map, RowDecoder& decoder) {
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const std::vector<std::size_t> one = {i};
    if (decoder.BindTable(map, one)) wanted.push_back(i);
  }
  if (!wanted.empty()) wanted.push_back(wanted.front());
  return wanted;
}

}  // namespace
}  // namespace outboxd::binlog

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  static const CharacterSets character_sets;
  if (size < 2) return 0;
  const std::uint64_t choice = LoadLittle<2>(bytes);
  const Bytes input(bytes + 2, size - 2);
  const auto map_size = std::min<std::size_t>(choice & kMapSizeMask, input.size());
  const auto map = TableMap::Parse(input.first(map_size));
  if (!map) return 0;

  RowDecoder decoder(character_sets);
  const std::vector<std::size_t> wanted = DecodableColumns(*map, decoder);
  // Of its own memory, so that a read beyond its end is seen.
  const std::vector<std::uint8_t> rows(bytes + 2 + map_size, bytes + size);
  const auto version = (choice & kIsV1) != 0 ? RowsEventVersion::kV1 : RowsEventVersion::kV2;
  const auto change = (choice & kIsUpdate) != 0 ? RowChange::kUpdate : RowChange::kInsert;
  auto defaults = (choice & kHasDefaults) != 0 ? DefaultsOf(*map) : std::vector<ColumnDefault>{};
  if (!decoder.BindTable(*map, wanted, std::move(defaults))) return 0;
  if (!decoder.BeginEvent(version, rows, change)) return 0;
  const std::size_t decoded = CountRows(decoder, wanted.size());

  // Columns that nobody wants are passed over by their length, so that all rows are found.
  if (!decoder.BindTable(*map, {})) __builtin_trap();
  if (!decoder.BeginEvent(version, rows, change)) __builtin_trap();
  if (CountRows(decoder, 0) < decoded) __builtin_trap();

  // With both images a row may fail that is fine behind its change, but none is found in addition.
  if (!decoder.BindChanges(*map, wanted, wanted)) __builtin_trap();
  if (!decoder.BeginEvent(version, rows, change)) __builtin_trap();
  if (CountRows(decoder, wanted.size()) > decoded) __builtin_trap();
  return 0;
}
