#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"
#include "daemon/mapping/condition.h"
#include "daemon/mapping/expression.h"
#include "daemon/mapping/outbox_config.h"
#include "daemon/mapping/topic_route.h"

namespace outboxd {

// The headers that outboxd adds, and how the names of those to come begin.
inline constexpr std::string_view kReservedHeaderPrefix = "outboxd.";
inline constexpr std::string_view kIdHeader = "id";
inline constexpr std::string_view kTableHeader = "outboxd.table";
inline constexpr std::string_view kPositionHeader = "outboxd.position";

// Whether no other header may have this name.
[[nodiscard]] inline bool IsReservedHeader(std::string_view header) {
  return header.starts_with(kReservedHeaderPrefix) || header == kIdHeader;
}

// A header, or a member of the value.
struct NamedExpression {
  std::string name;
  bool is_optional = false;  // Left out where the value is NULL.
  Expression value;
  std::string encoded = {};  // The Base64 of the row last mapped.
};

// What the configuration of one family of event tables is compiled to. Constant after Compile(),
// but for what the expressions keep of the row in hand. Owned by the mapping; its thread only.
struct MappingParts {
  // Finds every mistake that needs no table. kConfiguration, naming section and key.
  [[nodiscard]] static Result<MappingParts> Compile(const OutboxConfig& config);

  UsedColumns columns;
  std::optional<Expression> id, topic;  // Always there after Compile().
  std::optional<Expression> key, payload, timestamp, partition, header_object, each;
  std::optional<TopicRoute> topic_route;
  std::vector<NamedExpression> headers, members;
  std::vector<Condition> where, update_where;
  bool blank_is_tombstone = false;  // Then there is a payload.
  bool has_table_header = true;
  bool has_position_header = true;
};

}  // namespace outboxd
