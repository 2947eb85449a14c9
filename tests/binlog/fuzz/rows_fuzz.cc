// Two bytes of length, the body of a TABLE_MAP event of that length, the body of a WRITE_ROWS
// event.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/row_decoder.h"
#include "binlog/table_map.h"
#include "tests/binlog/fuzz/read_values.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  static const CharacterSets character_sets;
  if (size < 2) return 0;
  const Bytes input(bytes + 2, size - 2);
  const auto map_size = std::min<std::size_t>(LoadLittle<2>(bytes), input.size());
  const auto map = TableMap::Parse(input.first(map_size));
  if (!map) return 0;

  RowDecoder decoder(character_sets);
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < map->columns.size(); ++i) {
    const std::vector<std::size_t> one = {i};
    if (decoder.BindTable(*map, one)) wanted.push_back(i);
  }
  if (!decoder.BindTable(*map, wanted)) return 0;
  // Of its own memory, so that a read beyond its end is seen.
  const std::vector<std::uint8_t> rows(bytes + 2 + map_size, bytes + size);
  if (!decoder.BeginEvent(RowsEventVersion::kV2, rows)) return 0;
  auto has_row = decoder.NextRow();
  for (; has_row && *has_row; has_row = decoder.NextRow()) {
    if (decoder.values().size() != wanted.size()) __builtin_trap();
    ReadValues(decoder.values());
  }
  return 0;
}
