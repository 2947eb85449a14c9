#pragma once

#include <cstdint>
#include <span>

#include "binlog/row.h"

namespace outboxd::binlog {

// Reads every byte, so that the sanitizers see a view that points where it must not.
inline void ReadValues(std::span<const ColumnValue> values) {
  [[maybe_unused]] static volatile std::uint8_t seen = 0;
  std::uint8_t all = 0;
  for (const ColumnValue& value : values) {
    if (!value) continue;
    for (const char byte : *value) all = static_cast<std::uint8_t>(all ^ byte);
  }
  seen = all;
}

}  // namespace outboxd::binlog
