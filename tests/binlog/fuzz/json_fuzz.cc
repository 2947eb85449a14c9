// A stored JSON document.

#include <cstddef>
#include <cstdint>

#include "binlog/json_binary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  TextArena arena;
  const auto text = RenderJson({bytes, size}, arena);
  if (text && text->size() > 16 + 8 * size) __builtin_trap();
  return 0;
}
