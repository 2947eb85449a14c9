#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/relay/server_clock.h"
#include "daemon/status/delivery_counts.h"

namespace outboxd {

// The messages of one unit, by table.
class UnitCounts {
 public:
  struct OfTable {
    std::size_t table = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
  };

  void Add(std::size_t table, std::size_t bytes);
  void Clear() {
    first_ = {};
    more_.clear();
  }
  template <typename Visit>
  void VisitTables(Visit visit) const {
    if (first_.events > 0) visit(first_);
    for (const OfTable& of_table : more_) visit(of_table);
  }

 private:
  OfTable first_;              // Most units have one table only: they take no memory of their own.
  std::vector<OfTable> more_;  // Of others.
};

// Counts the messages of units as they are handed over, and, when a unit is acknowledged, all of it
// at once: per row nothing but an addition. Guarded by DeliveryTracker, but for Count() and Take(),
// which are the reader thread's.
class DeliveryCounter {
 public:
  // Borrowed. Null: no latency is counted.
  explicit DeliveryCounter(const ServerClock* clock) : clock_(clock) {}

  // A message of the unit in hand, of a table that TableNumber() knows.
  void Count(std::size_t table, std::size_t bytes) { open_.Add(table, bytes); }
  // Whether the table was the one of the message before, as nearly all are; then Count() needs no
  // lock.
  [[nodiscard]] bool IsLastTable(std::string_view schema_name, std::string_view table_name) const {
    return table_name == last_table_ && schema_name == last_schema_;
  }
  [[nodiscard]] std::size_t last_table() const { return last_number_; }
  // The unit in hand is another one.
  void Begin() { open_.Clear(); }
  [[nodiscard]] const UnitCounts& unit() const { return open_; }

  // Makes it the table of the message before.
  std::size_t TableNumber(std::string_view schema_name, std::string_view table_name);

  // A unit is acknowledged, with all before it. `commit_us`: 0: not told.
  void Pass(const UnitCounts& unit, std::uint64_t commit_us);

  [[nodiscard]] const DeliveryCounts& counts() const { return counts_; }

 private:
  const ServerClock* clock_;

  // Reader thread only.
  UnitCounts open_;
  std::string last_schema_, last_table_;
  std::size_t last_number_ = 0;

  DeliveryCounts counts_;
};

}  // namespace outboxd
