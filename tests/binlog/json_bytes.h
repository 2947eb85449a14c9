#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace outboxd::binlog {

using Octets = std::vector<std::uint8_t>;

// Builds stored JSON documents of the small format, for tests: a type byte, then the value.

inline Octets JsonInt16(std::int16_t value) {
  return {5, static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8)};
}

inline void AppendCount(Octets& to, std::size_t count) {
  for (; count >= 0x80; count >>= 7) to.push_back(static_cast<std::uint8_t>(count | 0x80));
  to.push_back(static_cast<std::uint8_t>(count));
}

inline Octets JsonString(std::string_view text) {
  Octets bytes = {12};
  AppendCount(bytes, text.size());
  bytes.insert(bytes.end(), text.begin(), text.end());
  return bytes;
}

inline Octets JsonOpaque(std::uint8_t type, const Octets& value) {
  Octets bytes = {15, type};
  AppendCount(bytes, value.size());
  bytes.insert(bytes.end(), value.begin(), value.end());
  return bytes;
}

struct JsonContainer {
  void Short(std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value));
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  void Set(std::size_t at, std::size_t value) {
    bytes[at] = static_cast<std::uint8_t>(value);
    bytes[at + 1] = static_cast<std::uint8_t>(value >> 8);
  }
  // Fills the entry at `at`, puts the value behind all others unless it is inlined.
  void Value(std::size_t at, const Octets& value) {
    bytes[at] = value[0];
    if (value[0] >= 4 && value[0] <= 6) {
      Set(at + 1, value.size() > 2 ? value[1] + std::size_t{256} * value[2] : value[1]);
      return;
    }
    Set(at + 1, bytes.size() - 1);
    bytes.insert(bytes.end(), value.begin() + 1, value.end());
  }

  Octets bytes;
};

inline Octets JsonArray(const std::vector<Octets>& elements) {
  JsonContainer container{{2}};
  container.Short(elements.size());
  container.Short(0);
  container.bytes.resize(5 + 3 * elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) container.Value(5 + 3 * i, elements[i]);
  container.Set(3, container.bytes.size() - 1);
  return container.bytes;
}

inline Octets JsonObject(const std::vector<std::pair<std::string_view, Octets>>& members) {
  JsonContainer container{{0}};
  container.Short(members.size());
  container.Short(0);
  const std::size_t values_at = 5 + 4 * members.size();
  container.bytes.resize(values_at + 3 * members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string_view key = members[i].first;
    container.Set(5 + 4 * i, container.bytes.size() - 1);
    container.Set(7 + 4 * i, key.size());
    container.bytes.insert(container.bytes.end(), key.begin(), key.end());
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    container.Value(values_at + 3 * i, members[i].second);
  }
  container.Set(3, container.bytes.size() - 1);
  return container.bytes;
}

}  // namespace outboxd::binlog
