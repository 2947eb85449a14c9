#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/table_source.h"
#include "tests/daemon/fake_source.h"

namespace outboxd {

// A server without tables.
class NoTables : public binlog::TableSource {
 public:
  binlog::Result<void> Open(const binlog::StreamIdentity&) override { return {}; }
  void Close() override {}
  void Interrupt() override {}
  binlog::Result<std::vector<binlog::TableToRead>> Describe(std::string_view,
                                                            std::string_view) override {
    return std::vector<binlog::TableToRead>();
  }
  binlog::Result<std::optional<std::set<std::string>>> PreparedXa() override {
    return std::set<std::string>();
  }
  binlog::Result<binlog::LogEnd> EndOfLog() override { return binlog::LogEnd{}; }
  binlog::Result<std::optional<binlog::KeyValues>> HighestKey(const binlog::TableToRead&,
                                                              bool) override {
    return std::nullopt;
  }
  binlog::Result<std::vector<binlog::KeyPlace>> PlacesOf(
      const binlog::TableKey&, const std::vector<binlog::KeyValues>& keys) override {
    return std::vector<binlog::KeyPlace>(keys.size());
  }
  binlog::Result<std::optional<binlog::Chunk>> Read(const binlog::ChunkRequest&) override {
    return binlog::Chunk{};
  }
};

// The event table shop.outbox (outbox_table.h) of a FakeSource's server as it is now. Its primary
// key is id, whose places are its bytes.
class FakeTables final : public binlog::TableSource {
 public:
  explicit FakeTables(FakeSource& source) : source_(source) {}

  binlog::Result<void> Open(const binlog::StreamIdentity&) override { return Meet("Open"); }
  void Close() override {}
  void Interrupt() override { interrupted = true; }
  binlog::Result<std::vector<binlog::TableToRead>> Describe(std::string_view,
                                                            std::string_view) override {
    if (auto met = Meet("Describe"); !met) return std::unexpected(met.error());
    std::vector<binlog::TableToRead> tables;
    if (exists) tables.push_back(Description());
    return tables;
  }
  binlog::Result<std::optional<std::set<std::string>>> PreparedXa() override {
    if (auto met = Meet("PreparedXa"); !met) return std::unexpected(met.error());
    return prepared;
  }
  binlog::Result<binlog::LogEnd> EndOfLog() override {
    if (auto met = Meet("EndOfLog"); !met) return std::unexpected(met.error());
    return source_.EndOfLog();
  }
  binlog::Result<std::optional<binlog::KeyValues>> HighestKey(const binlog::TableToRead&,
                                                              bool) override {
    if (auto met = Meet("HighestKey"); !met) return std::unexpected(met.error());
    if (rows.empty()) return std::nullopt;
    return binlog::KeyValues{rows.rbegin()->first};
  }
  binlog::Result<std::vector<binlog::KeyPlace>> PlacesOf(
      const binlog::TableKey&, const std::vector<binlog::KeyValues>& keys) override {
    if (auto met = Meet("PlacesOf"); !met) return std::unexpected(met.error());
    std::vector<binlog::KeyPlace> places;
    for (const binlog::KeyValues& key : keys) places.push_back(key.at(0));
    return places;
  }
  binlog::Result<std::optional<binlog::Chunk>> Read(const binlog::ChunkRequest& request) override {
    reads.push_back(fmt::format("{}-{}", request.after == nullptr ? "" : request.after->front(),
                                request.up_to == nullptr ? "" : request.up_to->front()));
    rows_asked.push_back(request.rows_max);
    has_locked = request.waits_for_commits;
    if (auto met = Meet("Read"); !met) return std::unexpected(met.error());
    binlog::Chunk chunk;
    const std::size_t rows_max = has_key ? request.rows_max : std::string::npos;
    for (const auto& [id, payload] : rows) {
      if (request.after != nullptr && id <= request.after->front()) continue;
      if (chunk.rows.size() == rows_max) break;
      if (request.up_to != nullptr && id > request.up_to->front()) break;
      chunk.rows.push_back(RowOf(id, payload, request.columns));
      if (rows_twice.contains(id)) chunk.rows.push_back(chunk.rows.back());
      chunk.bytes += payload.size();
    }
    if (chunk.bytes > request.bytes_max && chunk.rows.size() > 1) return std::nullopt;
    chunk.is_last = !has_key || chunk.rows.size() < rows_max;
    return chunk;
  }

  std::map<std::string, std::string> rows;  // Payloads by id.
  std::set<std::string> rows_twice;         // Ids of rows that stand twice, where there is no key.
  std::set<std::string> without_type;       // Ids of rows whose aggregatetype is NULL.
  bool exists = true;
  bool has_key = true;
  std::string payload_type = "varchar(100)";
  bool has_added_column = false;
  std::optional<std::set<std::string>> prepared = std::set<std::string>();
  // Meets each call of a name before it is answered, and may change the world or make it fail.
  std::function<binlog::Result<void>(std::string_view call)> on_call;
  std::vector<std::string> reads;  // "AFTER-UP_TO" of each chunk asked for.
  std::vector<std::size_t> rows_asked;
  bool has_locked = false;  // The last Read().
  bool interrupted = false;

 private:
  binlog::Result<void> Meet(std::string_view call) {
    if (on_call) return on_call(call);
    return {};
  }
  [[nodiscard]] binlog::TableToRead Description() const {
    binlog::TableToRead table;
    table.facts.schema_name = "shop";
    table.facts.table_name = "outbox";
    for (const char* name : {"id", "aggregatetype", "aggregateid"}) {
      table.facts.columns.push_back({.name = name, .type = "varchar(100)"});
    }
    table.facts.columns.push_back({.name = "payload", .type = payload_type});
    if (has_added_column) table.facts.columns.push_back({.name = "added", .type = "int"});
    if (has_key) table.key = {"PRIMARY", {{"id", "varchar(100)", "utf8mb4_bin"}}};
    return table;
  }
  [[nodiscard]] binlog::ChunkRow RowOf(const std::string& id, const std::string& payload,
                                       const std::vector<std::string>& columns) const {
    binlog::ChunkRow row;
    for (const std::string& column : columns) {
      auto& value = row.values.emplace_back();
      if (column == "id") value = id;
      if (column == "aggregatetype" && !without_type.contains(id)) value = "order";
      if (column == "aggregateid") value = "k";
      if (column == "payload") value = payload;
    }
    if (has_key) row.key = {id};
    if (has_key) row.place = id;
    return row;
  }

  FakeSource& source_;
};

}  // namespace outboxd
