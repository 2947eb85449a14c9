#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "binlog/error.h"

namespace outboxd::binlog {

using Uuid = std::array<std::uint8_t, 16>;

[[nodiscard]] std::string ToText(const Uuid& uuid);
[[nodiscard]] Result<Uuid> ParseUuid(std::string_view text);

// Who numbers transactions: a server (or group), and since MySQL 8.3 an optional tag.
struct GtidOrigin {
  Uuid uuid{};
  std::string tag;  // Lower case, at most 32 characters; empty: untagged.

  friend auto operator<=>(const GtidOrigin&, const GtidOrigin&) = default;
};

struct Gtid {
  GtidOrigin origin;
  std::uint64_t number = 0;  // From 1 on.

  friend bool operator==(const Gtid&, const Gtid&) = default;
};

// "UUID:NUMBER" or "UUID:TAG:NUMBER".
[[nodiscard]] std::string ToText(const Gtid& gtid);

}  // namespace outboxd::binlog
