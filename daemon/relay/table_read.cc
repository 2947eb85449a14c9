#include "daemon/relay/table_read.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

constexpr std::size_t kRowsPerChunk = 1000;
constexpr std::chrono::milliseconds kBackOffFirst{100};
constexpr std::chrono::milliseconds kBackOffMax{15'000};

bool MayHeal(binlog::ErrorKind kind) {
  return kind == binlog::ErrorKind::kDisconnected || kind == binlog::ErrorKind::kInterrupted;
}

// As the selection wants them of a row in the log.
std::vector<std::string> ColumnsOf(const binlog::TableFacts& table,
                                   const binlog::TableSelection& selection) {
  std::vector<std::string> columns = selection.columns;
  if (selection.whole_row == binlog::WholeRow::kNo) return columns;
  std::ranges::move(binlog::NamesOf(table.columns), std::back_inserter(columns));
  return columns;
}

// As the log tells them of the stream.
std::vector<binlog::ValueKind> KindsOf(const binlog::TableFacts& table,
                                       const std::vector<std::string>& columns) {
  std::vector<binlog::ValueKind> kinds;
  for (const std::string& name : columns) {
    const binlog::ColumnFacts* const column = binlog::FindColumn(table.columns, name);
    kinds.push_back(column == nullptr ? binlog::ValueKind::kText : binlog::KindOf(*column));
  }
  return kinds;
}

}  // namespace

Result<void> TableRead::Run() {
  BackOff back_off(kBackOffFirst, kBackOffMax, 0);
  while (!parts_.relay.stop_requested()) {
    bool is_open = false;
    auto step = parts_.relay.OpenSink(&is_open);
    if (!step) return std::unexpected(step.error());
    if (!is_open) {
      parts_.relay.Wait(*step);
      continue;
    }
    bool complete = false;
    auto read = ReadOnce(&complete);
    if (!read) return read;
    if (complete) return {};
    if (parts_.tracker.has_trouble()) {
      auto trouble = parts_.relay.OnDeliveryTrouble();
      if (!trouble) return std::unexpected(trouble.error());
    } else {
      (void)parts_.tracker.Restart();
      parts_.publisher.Reset();
    }
    parts_.relay.Wait({Step::Kind::kPause, back_off.Next()});
  }
  return {};
}

Result<void> TableRead::ReadOnce(bool* complete) {
  auto server = ConnectToServer(parts_.config.mysql);
  if (!server) {
    if (!MayHeal(server.error().kind)) {
      return Fail(ExitCodeOf(server.error().kind), "{}", server.error().message);
    }
    spdlog::warn("source: {}; trying again", server.error().message);
    return {};
  }
  parts_.tracker.Begin();
  const auto& selections = parts_.tables.selections;
  for (std::uint32_t i = 0; i < selections.size(); ++i) {
    auto tables = server->DescribeTables(selections[i].schema_pattern, selections[i].table_pattern);
    if (!tables) return Fail(ExitCodeOf(tables.error().kind), "{}", tables.error().message);
    for (const binlog::TableFacts& table : *tables) {
      const std::vector<std::string> columns = ColumnsOf(table, selections[i]);
      const std::vector<binlog::ValueKind> kinds = KindsOf(table, columns);
      std::uint64_t rows = 0;
      bool went_on = true;
      auto scanned = server->ScanTable(table, columns, kRowsPerChunk, selections[i].json,
                                       [&](std::span<const binlog::ColumnValue> values,
                                           std::string_view key) -> binlog::Result<bool> {
                                         ++rows;
                                         auto more = PublishRow({.table = i,
                                                                 .schema_name = table.schema_name,
                                                                 .table_name = table.table_name,
                                                                 .values = values,
                                                                 .columns = columns,
                                                                 .kinds = kinds},
                                                                key);
                                         went_on = more.value_or(false);
                                         return more;
                                       });
      if (failure_) return std::unexpected(*failure_);
      if (!scanned && !MayHeal(scanned.error().kind)) {
        return Fail(ExitCodeOf(scanned.error().kind), "reading {}.{}: {}", table.schema_name,
                    table.table_name, scanned.error().message);
      }
      if (!scanned) spdlog::warn("source: {}; reading the table again", scanned.error().message);
      if (!scanned || !went_on) return {};
      spdlog::info("read {} rows of {}.{}", rows, table.schema_name, table.table_name);
    }
  }
  parts_.tracker.FinishTableRead();
  *complete = true;
  return {};
}

// False: break off, because of a stop, a lost producer or failure_.
binlog::Result<bool> TableRead::PublishRow(const binlog::Row& row, std::string_view key) {
  const std::size_t items = parts_.publisher.Begin(row);
  const std::string row_position(event_position_.TableRow(row.schema_name, row.table_name, key));
  for (std::size_t item = 0; item < items;) {
    bool done = false;
    const std::string_view position = parts_.publisher.TakeItem(row, row_position, item);
    if (parts_.relay.stop_requested()) return false;
    if (parts_.tracker.has_trouble() && !parts_.publisher.is_awaiting()) return false;
    auto step = parts_.publisher.Publish(row, position, &done);
    if (!step) {
      failure_ = step.error();
      return false;
    }
    parts_.relay.Wait(*step);
    if (done) ++item;
  }
  return true;
}

}  // namespace outboxd
