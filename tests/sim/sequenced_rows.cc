#include "tests/sim/sequenced_rows.h"

#include <string>

#include "tests/daemon/outbox_table.h"

namespace outboxd::sim {

using binlog::EventBytes;

EventBytes SequencedTableMap(bool has_added_column) {
  constexpr std::string_view kTypes = "\x0f\x0f\x0f\x0f\x08\x03";
  const std::size_t columns = has_added_column ? 6 : 5;
  EventBytes map;
  map.Little(kOutboxTableId, 6).Little(1, 2).Little(4, 1).Text("shop").Little(0, 1);
  map.Little(6, 1).Text("outbox").Little(0, 1);
  map.Little(columns, 1).Text(kTypes.substr(0, columns));
  map.Little(8, 1).Little(100, 2).Little(100, 2).Little(100, 2).Little(100, 2);
  map.Little(has_added_column ? 0x22 : 0x02, 1);  // What may be NULL.
  map.Little(1, 1).Little(1, 1).Little(0x80, 1);  // Which numbers are unsigned.
  map.Little(2, 1).Little(1, 1).Little(45, 1);    // The default character set.
  std::string names =
      "\x02id\x0d"
      "aggregatetype\x0b"
      "aggregateid\x07payload\x03seq";
  if (has_added_column)
    names +=
        "\x01"
        "c";
  map.Little(4, 1).Little(names.size(), 1).Text(names);
  return map.Little(8, 1).Little(1, 1).Little(4, 1);  // The primary key.
}

EventBytes SequencedRowsHead(bool has_added_column, const std::vector<ImageColumns>& columns) {
  EventBytes rows;
  rows.Little(kOutboxTableId, 6).Little(1, 2).Little(2, 2).Little(has_added_column ? 6 : 5, 1);
  for (const ImageColumns present : columns) rows.Little(present, 1);
  return rows;
}

void AppendImage(EventBytes& rows, const SequencedRow& row, ImageColumns columns) {
  const std::optional<std::string_view> texts[] = {row.id, row.type, row.key, row.payload};
  EventBytes values;
  std::uint64_t nulls = 0;
  int present = 0;
  for (int column = 0; column < 6; ++column) {
    if ((columns >> column & 1) == 0) continue;
    const std::uint64_t bit = std::uint64_t{1} << present++;
    if (column == 4) {
      values.Little(row.seq, 8);
    } else if (column < 4 && texts[column]) {
      values.Little(texts[column]->size(), 1).Text(*texts[column]);
    } else {
      nulls |= bit;
    }
  }
  rows.Little(nulls, 1).Text(binlog::AsText(values.bytes()));
}

}  // namespace outboxd::sim
