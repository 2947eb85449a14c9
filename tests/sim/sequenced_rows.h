#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tests/binlog/event_bytes.h"

namespace outboxd::sim {

// The event table of the scenarios that read tables, as the log has it: shop.outbox with the
// columns id, aggregatetype, aggregateid, payload of outbox_table.h and behind them its primary key
// seq, BIGINT UNSIGNED; later perhaps also c, INT.

[[nodiscard]] binlog::EventBytes SequencedTableMap(bool has_added_column);

// Columns that an image of a row has: a bit for each, in their order.
using ImageColumns = std::uint8_t;
inline constexpr ImageColumns kPayloadOnly = 0x08, kSeqOnly = 0x10;
[[nodiscard]] constexpr ImageColumns AllColumns(bool has_added_column) {
  return has_added_column ? 0x3f : 0x1f;
}

// What stands in front of the first row of a ROWS event; `columns`: of each image of a row.
[[nodiscard]] binlog::EventBytes SequencedRowsHead(bool has_added_column,
                                                   const std::vector<ImageColumns>& columns);

struct SequencedRow {
  std::string_view id;
  std::optional<std::string_view> type;
  std::string_view key;
  std::string_view payload;
  std::uint64_t seq;
};

void AppendImage(binlog::EventBytes& rows, const SequencedRow& row, ImageColumns columns);

}  // namespace outboxd::sim
