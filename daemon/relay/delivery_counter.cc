#include "daemon/relay/delivery_counter.h"

#include <fmt/format.h>

#include <algorithm>

namespace outboxd {

void UnitCounts::Add(std::size_t table, std::size_t bytes) {
  OfTable* counts = &first_;
  if (first_.events > 0 && first_.table != table) {
    const auto known = std::ranges::find(more_, table, &OfTable::table);
    counts = known == more_.end() ? &more_.emplace_back() : &*known;
  }
  counts->table = table;
  ++counts->events;
  counts->bytes += bytes;
}

std::size_t DeliveryCounter::TableNumber(std::string_view schema_name,
                                         std::string_view table_name) {
  const std::string name = fmt::format("{}.{}", schema_name, table_name);
  auto& tables = counts_.tables;
  auto known = std::ranges::find(tables, name, &TableCounts::table);
  const bool is_other = known == tables.end() && tables.size() >= DeliveryCounts::kTablesMax;
  if (is_other)
    known = std::ranges::find(tables, DeliveryCounts::kOtherTables, &TableCounts::table);
  if (known == tables.end()) {
    tables.push_back({.table = is_other ? DeliveryCounts::kOtherTables : name});
    known = tables.end() - 1;
  }
  last_schema_ = schema_name;
  last_table_ = table_name;
  last_number_ = static_cast<std::size_t>(known - tables.begin());
  return last_number_;
}

void DeliveryCounter::Pass(const UnitCounts& unit, std::uint64_t commit_us) {
  std::uint64_t events = 0;
  unit.VisitTables([&](const UnitCounts::OfTable& of_table) {
    TableCounts& table = counts_.tables[of_table.table];
    table.events += of_table.events;
    table.bytes += of_table.bytes;
    events += of_table.events;
  });
  if (events == 0 || commit_us == 0 || clock_ == nullptr) return;
  const std::uint64_t now_us = clock_->Now();
  counts_.latency.Add(std::chrono::microseconds(now_us - std::min(now_us, commit_us)), events);
}

}  // namespace outboxd
