#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/binlog/event_bytes.h"

namespace outboxd {

// The event table of the tests as the log has it: shop.outbox with the columns id, aggregatetype,
// aggregateid, payload, all VARCHAR(100) in utf8mb4.

inline constexpr std::uint64_t kOutboxTableId = 70;

inline binlog::EventBytes OutboxTableMap() {
  binlog::EventBytes map;
  map.Little(kOutboxTableId, 6).Little(1, 2).Little(4, 1).Text("shop").Little(0, 1);
  map.Little(6, 1).Text("outbox").Little(0, 1).Little(4, 1).Text("\x0f\x0f\x0f\x0f");
  map.Little(8, 1).Little(100, 2).Little(100, 2).Little(100, 2).Little(100, 2).Little(2, 1);
  map.Little(2, 1).Little(1, 1).Little(45, 1);  // The default character set.
  const std::string names =
      "\x02id\x0d"
      "aggregatetype\x0b"
      "aggregateid\x07payload";
  return map.Little(4, 1).Little(names.size(), 1).Text(names);
}

// What stands in front of the first row of a ROWS event. `columns`: a bit for each that its rows
// have.
inline binlog::EventBytes OutboxRowsHead(std::uint64_t columns = 0x0f) {
  binlog::EventBytes rows;
  return rows.Little(kOutboxTableId, 6).Little(1, 2).Little(2, 2).Little(4, 1).Little(columns, 1);
}

// One row image; `type` may be NULL, `key` left out.
inline void AppendOutboxImage(binlog::EventBytes& rows, std::string_view id,
                              std::optional<std::string_view> type,
                              std::optional<std::string_view> key, std::string_view payload) {
  const auto text = [&rows](std::string_view value) { rows.Little(value.size(), 1).Text(value); };
  rows.Little(type ? 0 : 0x02, 1);
  text(id);
  if (type) text(*type);
  if (key) text(*key);
  text(payload);
}

}  // namespace outboxd
