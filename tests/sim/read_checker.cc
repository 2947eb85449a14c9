#include "tests/sim/read_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace outboxd::sim {

using Kind = Transaction::Kind;

ReadChecker::Rows ReadChecker::At(bool decides, bool keeps_lost) const {
  EventTable table;
  std::vector<const Transaction*> decided;
  std::set<std::size_t> decided_prepares;  // A failover may have lost the decision before.
  for (std::size_t i = 0; i < history_.transactions.size(); ++i) {
    const Transaction& transaction = history_.transactions[i];
    if (transaction.is_lost && !keeps_lost) continue;
    const bool was_decided =
        transaction.prepare != kNone && !decided_prepares.insert(transaction.prepare).second;
    if (was_decided) continue;
    if (before_.contains(i)) {
      Apply(transaction, table);
    } else if (DecidesBefore(i)) {
      decided.push_back(&transaction);
    }
  }
  // They hold their keys, so that it is the same as if they had been decided at once.
  for (const Transaction* decision : decided) {
    if (decides) Apply(*decision, table);
  }
  return table.rows;
}

std::set<std::size_t> ReadChecker::Truncated() const {
  std::set<std::size_t> truncated;
  std::set<std::size_t> changed;  // What the log told of since.
  EventTable table;
  for (std::size_t i = 0; i < history_.transactions.size(); ++i) {
    const Transaction& transaction = history_.transactions[i];
    if (transaction.is_lost) continue;
    const bool is_before = before_.contains(i) || DecidesBefore(i);
    if (!is_before && ChangesTable(transaction)) {
      for (const RowChange& change : transaction.changes) changed.insert(change.event);
    }
    if (!before_.contains(i) && transaction.ddl == Transaction::Ddl::kTruncate) {
      for (const auto& [seq, row] : table.rows) {
        if (!changed.contains(row.event)) truncated.insert(row.event);
      }
    }
    Apply(transaction, table);
  }
  return truncated;
}

ReadChecker::PartialChanges ReadChecker::InPart() const {
  PartialChanges partial;
  if (std::ranges::none_of(history_.transactions, &Transaction::has_partial_images)) return partial;
  std::set<std::size_t> open;  // Of the position, and the log has nothing else of them yet.
  for (const auto& [seq, row] : At(true, false)) open.insert(row.event);
  for (std::size_t i = 0; i < history_.transactions.size(); ++i) {
    const Transaction& transaction = history_.transactions[i];
    const bool counts = !transaction.is_lost && !before_.contains(i) && !DecidesBefore(i) &&
                        ChangesTable(transaction);
    for (const RowChange& change : transaction.changes) {
      if (!counts || !open.contains(change.event)) continue;
      const bool is_update = change.kind == RowChange::Kind::kUpdate;
      if (transaction.has_partial_images && is_update) {
        ++partial.updates[change.event];
        continue;
      }
      open.erase(change.event);
      if (transaction.has_partial_images) partial.gone[change.event] = change.seq;
    }
  }
  return partial;
}

std::map<std::size_t, std::uint64_t> ReadChecker::GoneInPart() const { return InPart().gone; }

ReadChecker::Rows ReadChecker::Due() const {
  Rows rows = At(true, false);
  const std::set<std::size_t> truncated = Truncated();
  const std::map<std::size_t, std::uint64_t> gone = GoneInPart();
  std::erase_if(rows, [&](const auto& row) {
    const std::size_t event = row.second.event;
    return truncated.contains(event) || gone.contains(event) || HiddenCommit(event) != kNone;
  });
  return rows;
}

bool ReadChecker::DecidesBefore(std::size_t index) const {
  const std::size_t prepare = history_.transactions[index].prepare;
  return prepare != kNone && before_.contains(prepare);
}

bool ReadChecker::WasDecidedAnew(std::size_t event) const {
  for (std::size_t i = 0; i < history_.transactions.size(); ++i) {
    const Transaction& decision = history_.transactions[i];
    if (!decision.is_lost || !DecidesBefore(i)) continue;
    const Transaction& prepare = history_.transactions[decision.prepare];
    if (prepare.decision == kNone) continue;
    const auto found = std::ranges::find(prepare.changes, event, &RowChange::event);
    if (found != prepare.changes.end()) return true;
  }
  return false;
}

std::size_t ReadChecker::HiddenCommit(std::size_t event) const {
  if (sees_prepared_) return kNone;
  for (std::size_t i = 0; i < history_.transactions.size(); ++i) {
    const Transaction& decision = history_.transactions[i];
    const bool is_hidden = decision.kind == Kind::kXaCommit && !decision.is_lost &&
                           DecidesBefore(i) && !before_.contains(i);
    if (!is_hidden) continue;
    const auto found = std::ranges::find(decision.changes, event, &RowChange::event);
    if (found != decision.changes.end()) return i;
  }
  return kNone;
}

bool ReadChecker::IsThere(std::size_t event) const {
  return std::ranges::any_of(At(true, false),
                             [event](const auto& row) { return row.second.event == event; });
}

bool ReadChecker::IsDue(std::size_t index) const {
  const Event& event = history_.events[index];
  if (!IsOfRead(event)) {
    return event.state == Event::State::kCommitted &&
           !history_.transactions[event.transaction].is_lost;
  }
  return std::ranges::any_of(Due(), [&](const auto& row) { return row.second.event == index; });
}

std::string ReadChecker::OnPublish(std::size_t index, std::size_t version, Road road) const {
  const Event& event = history_.events[index];
  if (road == Road::kStream && IsOfRead(event)) {
    return fmt::format("the stream brings event {}, which was inserted before it begins", index);
  }
  if (road == Road::kRead && !IsOfRead(event)) {
    return fmt::format("the read brings event {}, which is that of the stream", index);
  }
  if (road == Road::kStream) {
    if (version == 0) return {};
    return fmt::format("the stream brings event {} as an update left it", index);
  }
  if (IsUndecided(index)) {
    return fmt::format("the read brings event {} while an XA transaction holds it", index);
  }
  const PartialChanges partial = InPart();
  const auto updates = partial.updates.find(index);
  const std::size_t updates_in_part = updates == partial.updates.end() ? 0 : updates->second;
  bool was_there = false;
  for (const bool decides : {true, false}) {
    for (const bool keeps_lost : {true, false}) {
      for (const auto& [seq, row] : At(decides, keeps_lost)) {
        if (row.event != index) continue;
        was_there = true;
        if (version >= row.version && version <= row.version + updates_in_part) return {};
      }
    }
  }
  if (!was_there) return fmt::format("the read brings event {}, which was not there", index);
  return fmt::format("the read brings version {} of event {}, which is not that of its begin",
                     version, index);
}

std::optional<std::size_t> ReadChecker::Repeated() const {
  if (may_repeat_) return std::nullopt;
  // The read may have begun anew.
  const bool was_altered = std::ranges::any_of(history_.transactions, [](const Transaction& one) {
    return one.ddl == Transaction::Ddl::kAddColumn;
  });
  if (was_altered) return std::nullopt;
  const auto found = std::ranges::find_if(appended_, [this](const auto& count) {
    return count.second > 1 && HiddenCommit(count.first) == kNone;
  });
  return found == appended_.end() ? std::nullopt : std::optional(found->first);
}

std::optional<std::size_t> ReadChecker::UndeliveredUpTo(std::optional<std::uint64_t> key) const {
  for (const auto& [seq, row] : Due()) {
    if (key && seq > *key) break;
    if (history_.IsDone(history_.events[row.event]) || WasDecidedAnew(row.event)) continue;
    return row.event;
  }
  return std::nullopt;
}

bool ReadChecker::IsUndecided(std::size_t event) const {
  if (!sees_prepared_) return false;
  // A decision that a failover has lost may have been seen.
  if (std::ranges::any_of(history_.transactions, &Transaction::is_lost)) return false;
  return std::ranges::any_of(before_, [&](std::size_t index) {
    const Transaction& transaction = history_.transactions[index];
    return transaction.kind == Kind::kXaPrepare && transaction.decision == kNone &&
           std::ranges::find(transaction.changes, event, &RowChange::event) !=
               transaction.changes.end();
  });
}

std::size_t ReadChecker::Undecided() const {
  if (!sees_prepared_) return kNone;
  for (const std::size_t index : before_) {
    const Transaction& transaction = history_.transactions[index];
    const bool holds = transaction.kind == Kind::kXaPrepare && !transaction.is_lost &&
                       transaction.decision == kNone && !KeysOf(transaction).empty();
    if (holds) return index;
  }
  return kNone;
}

}  // namespace outboxd::sim
