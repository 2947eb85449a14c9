#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "tests/sim/event_table.h"
#include "tests/sim/faults.h"
#include "tests/sim/history.h"

namespace outboxd::sim {

// Draws what one transaction does to rows of the event table, one after the other.
class RowChangeDraw {
 public:
  struct Kinds {
    bool deletes = false;
    bool moves = false;
    bool updates = false;
    bool replaces = false;  // A delete and an insert under the same key.

    friend bool operator==(const Kinds&, const Kinds&) = default;
  };
  // Makes the event of an inserted row.
  using AddEvent = std::function<std::size_t()>;

  // `table` is what the transaction finds, `locked` are the keys that others hold. Keys are smaller
  // than `keys`.
  RowChangeDraw(EventTable table, std::set<std::uint64_t> locked, Kinds kinds, std::size_t keys,
                SeededRandom& random)
      : table_(std::move(table)),
        locked_(std::move(locked)),
        kinds_(kinds),
        keys_(keys),
        random_(random) {}

  // Appends one change, two for a replacement, none where others are in the way.
  void Draw(std::vector<RowChange>& changes, const AddEvent& add_event);

 private:
  enum class Choice { kDelete, kMove, kUpdate, kReplace };

  [[nodiscard]] std::vector<Choice> Choices() const;
  void Append(const RowChange& change, std::vector<RowChange>& changes);

  EventTable table_;
  std::set<std::uint64_t> locked_;
  Kinds kinds_;
  std::size_t keys_;
  SeededRandom& random_;
};

}  // namespace outboxd::sim
