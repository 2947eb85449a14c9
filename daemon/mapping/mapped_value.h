#pragma once

#include <optional>
#include <string_view>

#include "binlog/row.h"

namespace outboxd {

// What an expression of the mapping language makes of a row.
struct MappedValue {
  std::string_view text;
  binlog::ValueKind kind = binlog::ValueKind::kText;
};

// None: NULL.
using OptionalValue = std::optional<MappedValue>;

}  // namespace outboxd
