// The body of a TABLE_MAP event.

#include <cstddef>
#include <cstdint>

#include "binlog/table_map.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  const Bytes body(bytes, size);
  const auto name = ParseTableMapName(body);
  const auto map = TableMap::Parse(body);
  if (map && (!name || map->columns.empty() || map->table_name != name->table_name))
    __builtin_trap();
  return 0;
}
