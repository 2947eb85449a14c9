#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tests/binlog/event_bytes.h"

namespace outboxd::sim {

// The event table of the scenarios that read tables, as the log has it: shop.outbox with the
// columns id, aggregatetype, aggregateid, payload of outbox_table.h and behind them its primary key
// seq, BIGINT UNSIGNED; later perhaps also c, INT.

[[nodiscard]] binlog::EventBytes SequencedTableMap(bool has_added_column);

// What stands in front of the first row of a ROWS event; of an UPDATE_ROWS event: `has_before`.
[[nodiscard]] binlog::EventBytes SequencedRowsHead(bool has_added_column, bool has_before = false);

struct SequencedRow {
  std::string_view id;
  std::optional<std::string_view> type;
  std::string_view key;
  std::string_view payload;
  std::uint64_t seq;
};

void AppendImage(binlog::EventBytes& rows, const SequencedRow& row, bool has_added_column);

}  // namespace outboxd::sim
