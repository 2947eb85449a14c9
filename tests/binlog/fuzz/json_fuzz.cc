// A stored JSON document.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "binlog/json_binary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  TextArena arena;
  const auto text = RenderJson({bytes, size}, arena);
  if (!text) return 0;
  if (text->size() > 16 + 8 * size) __builtin_trap();
  // The server vouches for the characters of strings; all else is the renderer's.
  std::string ascii(*text);
  std::ranges::replace_if(ascii, [](char c) { return (c & 0x80) != 0; }, '?');
  if (!nlohmann::json::accept(ascii)) __builtin_trap();
  return 0;
}
