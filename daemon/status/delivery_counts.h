#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace outboxd {

// What is counted of one event table.
struct TableCounts {
  std::string table;  // "schema.table"
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // Of their keys and values.

  friend bool operator==(const TableCounts&, const TableCounts&) = default;
};

// How often it took how long, in classes.
struct LatencyCounts {
  // The upper bounds of the classes, in microseconds; the last class has none.
  static constexpr std::array<std::uint64_t, 17> kBounds = {
      500,       1'000,      2'500,      5'000,      10'000,     25'000,
      50'000,    100'000,    250'000,    500'000,    1'000'000,  2'500'000,
      5'000'000, 10'000'000, 30'000'000, 60'000'000, 300'000'000};

  std::array<std::uint64_t, kBounds.size() + 1> counts{};
  double sum_s = 0;

  // `times`: so many took as long.
  void Add(std::chrono::microseconds latency, std::uint64_t times);

  friend bool operator==(const LatencyCounts&, const LatencyCounts&) = default;
};

// What was acknowledged since the process began, with all before it; what was sent again counts
// again.
struct DeliveryCounts {
  // Of so many tables; those beyond are counted together.
  static constexpr std::size_t kTablesMax = 100;
  static constexpr const char* kOtherTables = "other";

  std::vector<TableCounts> tables;
  LatencyCounts latency;  // From the commit to the acknowledgement, of each event of the log.

  friend bool operator==(const DeliveryCounts&, const DeliveryCounts&) = default;
};

}  // namespace outboxd
