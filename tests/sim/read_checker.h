#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/event_table.h"
#include "tests/sim/history.h"

namespace outboxd::sim {

// By which road a message came.
enum class Road { kStream, kRead };

// What a relay owes that begins with a read of the event table: the rows that were in it at the
// position where it begins, as they were then, by the read; all that is inserted behind it, by the
// stream. An XA transaction that was prepared before the position and decided behind it counts as
// part of the state there; where the account may not ask for such, what it changed may be missed or
// come more than once.
class ReadChecker {
 public:
  // `before`: the transactions that the position covers. `sees_prepared`: the account may ask what
  // is prepared.
  ReadChecker(const History& history, std::set<std::size_t> before, bool sees_prepared)
      : history_(history), before_(std::move(before)), sees_prepared_(sees_prepared) {}

  // Whether it is the read that brings it, if anything does.
  [[nodiscard]] bool IsOfRead(const Event& event) const {
    return before_.contains(event.transaction);
  }
  [[nodiscard]] bool IsBefore(std::size_t transaction) const {
    return before_.contains(transaction);
  }
  // Whether it decides what was prepared before.
  [[nodiscard]] bool DecidesBefore(std::size_t transaction) const;
  // Whether a failover has lost what was decided about the event, which the read may have seen, and
  // it was decided once more: where that is not the same, no read can mend it.
  [[nodiscard]] bool WasDecidedAnew(std::size_t event) const;
  // What committed a change of its row that was prepared before the position, where nobody may ask
  // for such; kNone: nothing did.
  [[nodiscard]] std::size_t HiddenCommit(std::size_t event) const;
  // Whether its row is there at the position, with what was prepared before and committed since.
  [[nodiscard]] bool IsThere(std::size_t event) const;
  // Whether it has to be delivered.
  [[nodiscard]] bool IsDue(std::size_t event) const;

  // The keys at which rows of the position were deleted or moved while the log kept no more of them
  // than their keys, by event: a read that had not come there can only tell that.
  [[nodiscard]] std::map<std::size_t, std::uint64_t> GoneInPart() const;

  // What is wrong with the message; empty: nothing. `version`: of its payload.
  [[nodiscard]] std::string OnPublish(std::size_t event, std::size_t version, Road road) const;

  // The broker has got it, as often as this is called.
  void OnAppend(std::size_t event) { ++appended_[event]; }
  // From now on an event may come more than once, for this reason.
  void AllowRepeats() { may_repeat_ = true; }
  // An event that came twice though nothing may; none: there is none.
  [[nodiscard]] std::optional<std::size_t> Repeated() const;

  // The first event that is due and not delivered of a row that the read found, or should have
  // found, at a key up to this one; none: it may be said that all up to it is read. No key: of any
  // row.
  [[nodiscard]] std::optional<std::size_t> UndeliveredUpTo(std::optional<std::uint64_t> key) const;
  // An XA transaction that is not decided and was prepared before the position; kNone: there is
  // none. Before it is decided nothing may be said to be read.
  [[nodiscard]] std::size_t Undecided() const;

 private:
  using Rows = std::map<std::uint64_t, EventTable::Row>;

  // The rows at the position. `decides`: with what prepared transactions did that were committed
  // later; `keeps_lost`: with transactions that a failover has lost since.
  [[nodiscard]] Rows At(bool decides, bool keeps_lost) const;
  // The rows of At() that are there no more because the table was emptied: nothing in the log tells
  // what they were.
  [[nodiscard]] std::set<std::size_t> Truncated() const;
  // What became of the rows of the position as far as the log does not give them back.
  struct PartialChanges {
    std::map<std::size_t, std::size_t> updates;  // How often in place at first, by event.
    std::map<std::size_t, std::uint64_t> gone;   // GoneInPart().
  };
  [[nodiscard]] PartialChanges InPart() const;
  [[nodiscard]] Rows Due() const;
  // Whether what becomes of its row is not decided.
  [[nodiscard]] bool IsUndecided(std::size_t event) const;

  const History& history_;
  const std::set<std::size_t> before_;
  const bool sees_prepared_;
  std::map<std::size_t, std::size_t> appended_;
  bool may_repeat_ = false;
};

}  // namespace outboxd::sim
