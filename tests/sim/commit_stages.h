#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "binlog/gtid_set.h"
#include "tests/sim/event_table.h"
#include "tests/sim/history.h"

namespace outboxd::sim {

// How far the transactions of a server have come. Each is first in its log, where a dump finds it;
// then committed in the engine, where a SELECT finds what it did, and XA RECOVER what it prepared;
// then within gtid_executed. All in the order of the log.
class CommitStages {
 public:
  explicit CommitStages(const History& history) : history_(history) {}

  // It stands in the log.
  void Log(std::size_t transaction);
  // The next one is committed in the engine; nothing happens if there is none.
  void CommitNext();
  // The next one of those committed comes into gtid_executed.
  void ExecuteNext();
  void CommitAll();
  void ExecuteAll();

  // The event table as the log leaves it.
  [[nodiscard]] const EventTable& at_end() const { return at_end_; }
  // As a SELECT sees it.
  [[nodiscard]] const EventTable& committed() const { return committed_; }
  // Names of what XA RECOVER lists.
  [[nodiscard]] const std::set<std::string>& prepared() const { return prepared_; }
  [[nodiscard]] const binlog::GtidSet& executed() const { return executed_; }
  // How many transactions of the log are within gtid_executed.
  [[nodiscard]] std::size_t executed_count() const { return executed_count_; }
  [[nodiscard]] std::size_t logged_count() const { return order_.size(); }

  // The keys that transactions hold which are prepared, or in the log and not committed.
  [[nodiscard]] std::set<std::uint64_t> LockedKeys() const;

 private:
  [[nodiscard]] const Transaction& At(std::size_t place) const {
    return history_.transactions[order_[place]];
  }

  const History& history_;
  std::vector<std::size_t> order_;
  std::size_t committed_count_ = 0, executed_count_ = 0;
  EventTable at_end_, committed_;
  std::set<std::string> prepared_;
  std::set<std::size_t> undecided_;  // Prepared by the engine.
  binlog::GtidSet executed_;
};

}  // namespace outboxd::sim
