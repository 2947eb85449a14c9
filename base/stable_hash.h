#pragma once

#include <cstdint>
#include <string_view>

namespace outboxd {

// FNV-1a: the same on every machine and in every version, which std::hash does not promise.
[[nodiscard]] constexpr std::uint64_t StableHash(std::string_view text, std::uint64_t seed = 0) {
  std::uint64_t hash = 0xcbf29ce484222325 ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace outboxd
