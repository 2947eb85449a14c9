#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "binlog/error.h"

namespace outboxd::binlog {

using Uuid = std::array<std::uint8_t, 16>;

// "9c3a6f2e-1d4b-11f0-8a5e-0242ac120002".
[[nodiscard]] std::string ToText(const Uuid& uuid);

// Takes the form above, in either case. kUnsuitable: anything else.
[[nodiscard]] Result<Uuid> ParseUuid(std::string_view text);

// The highest number a transaction can have: MySQL 9.7 sql/rpl_gtid.h, GNO_END, which is excluded.
inline constexpr std::uint64_t kGtidNumberMax = 0x7FFF'FFFF'FFFF'FFFE;

// Longest tag: MySQL 9.7 libs/mysql/gtid/gtid_constants.h, tag_max_length.
inline constexpr std::size_t kGtidTagLengthMax = 32;

// Whether `tag` is a tag as MySQL stores it: a letter or '_', then letters, digits or '_', all in
// lower case, at most kGtidTagLengthMax; the empty tag is none.
[[nodiscard]] bool IsGtidTag(std::string_view tag);

// Who numbers transactions: a server (or group), and since MySQL 8.3 an optional tag.
struct GtidOrigin {
  Uuid uuid{};
  std::string tag;  // Lower case, at most 32 characters; empty: untagged.

  friend auto operator<=>(const GtidOrigin&, const GtidOrigin&) = default;
};

struct Gtid {
  GtidOrigin origin;
  std::uint64_t number = 0;  // From 1 to kGtidNumberMax.

  friend bool operator==(const Gtid&, const Gtid&) = default;
};

// "UUID:NUMBER" or "UUID:TAG:NUMBER".
[[nodiscard]] std::string ToText(const Gtid& gtid);

}  // namespace outboxd::binlog
