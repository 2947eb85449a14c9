#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

#include "tests/sim/history.h"

namespace outboxd::sim {

// The event table with its rows by key.
struct EventTable {
  struct Row {
    std::size_t event;
    std::size_t version;  // Of its payload.

    friend auto operator<=>(const Row&, const Row&) = default;
  };

  std::map<std::uint64_t, Row> rows;
  bool has_added_column = false;

  friend bool operator==(const EventTable&, const EventTable&) = default;
};

// Aborts where the table is not as the change found it.
void Apply(const RowChange& change, EventTable& table);

// Whether it leaves its changes in the table when it is committed.
[[nodiscard]] bool ChangesTable(const Transaction& transaction);

// What a committed transaction does, a decision that of its PREPARE.
void Apply(const Transaction& transaction, EventTable& table);

// The keys that it locks, those of changes that it undid included.
[[nodiscard]] std::set<std::uint64_t> KeysOf(const Transaction& transaction);

}  // namespace outboxd::sim
