#include "daemon/relay/chunk_rows.h"

#include <algorithm>
#include <utility>

namespace outboxd {
namespace {

using binlog::ChunkRow;

std::vector<binlog::ColumnValue> ViewsOf(const std::vector<std::optional<std::string>>& values) {
  std::vector<binlog::ColumnValue> views;
  views.reserve(values.size());
  for (const auto& value : values) {
    views.push_back(value ? binlog::ColumnValue(*value) : std::nullopt);
  }
  return views;
}

}  // namespace

void ChunkRows::Take(std::size_t table, binlog::Chunk chunk) {
  End();
  table_ = table;
  chunk_ = std::move(chunk);
  if (tables_[table].has_key()) return;
  for (ChunkRow& row : chunk_->rows) {
    const auto values = ViewsOf(row.values);
    row.place = PlaceOfValues(values, tables_[table].kinds);
  }
  std::ranges::sort(chunk_->rows, {}, &ChunkRow::place);
  chunk_->is_last = true;
}

binlog::Result<void> ChunkRows::Begin() {
  const ReadTable& table = tables_[table_];
  const std::optional<binlog::KeyPlace> after =
      table.handed ? std::optional(table.handed->place) : std::nullopt;
  const std::optional<binlog::KeyPlace> up_to =
      chunk_->is_last ? std::nullopt : std::optional(chunk_->rows.back().place);
  next_row_ = 0;
  rows_ = 0;
  if (auto begun = ledger_.BeginImages(table_, after, up_to); !begun) return begun;
  return LookAtNextImage();
}

binlog::Result<void> ChunkRows::LookAtNextImage() {
  auto image = ledger_.NextImage();
  if (!image) return std::unexpected(image.error());
  has_image_ = image->has_value();
  if (!has_image_) return {};
  image_place_ = (*image)->place;
  image_bytes_ = (*image)->bytes;
  return {};
}

binlog::Result<const binlog::Row*> ChunkRows::Next() {
  while (true) {
    const bool has_row = next_row_ < chunk_->rows.size();
    if (!has_row && !has_image_) return nullptr;
    if (has_image_ && (!has_row || image_place_ <= chunk_->rows[next_row_].place)) {
      return TakeImage();
    }
    const ChunkRow& row = chunk_->rows[next_row_++];
    auto left_out = ledger_.LeavesOut(table_, row.place);
    if (!left_out) return std::unexpected(left_out.error());
    if (*left_out) continue;
    row_values_ = ViewsOf(row.values);
    return MakeRow(row.key, row.place);
  }
}

binlog::Result<const binlog::Row*> ChunkRows::TakeImage() {
  std::swap(given_bytes_, image_bytes_);
  const std::string place = image_place_;
  image_.Decode(given_bytes_);
  if (auto next = LookAtNextImage(); !next) return std::unexpected(next.error());
  row_values_.assign(image_.values().begin(), image_.values().end());
  return MakeRow(image_.key(), place);
}

const binlog::Row* ChunkRows::MakeRow(std::span<const std::string> key,
                                      const binlog::KeyPlace& place) {
  const ReadTable& table = tables_[table_];
  row_ = {.selection = table.selection,
          .schema_name = table.schema_name(),
          .table_name = table.table_name(),
          .values = row_values_,
          .columns = table.columns,
          .kinds = table.kinds};
  position_ = event_position_.TableRow(
      table.schema_name(), table.table_name(),
      table.has_key() ? PositionKey(table.description.key, key) : PositionKey(place));
  ++rows_;
  return &row_;
}

std::optional<ReadCursor> ChunkRows::end() const {
  if (chunk_->is_last) return std::nullopt;
  const ChunkRow& last = chunk_->rows.back();
  return ReadCursor{last.key, last.place};
}

void ChunkRows::End() {
  if (!chunk_) return;
  chunk_.reset();
  ledger_.EndImages();
}

}  // namespace outboxd
