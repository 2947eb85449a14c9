#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"
#include "binlog/gtid_set.h"
#include "binlog/transaction.h"
#include "binlog/transaction_buffer.h"

namespace outboxd::binlog {

// The XA transactions that were prepared and are not decided yet. Of those with event rows the rows
// are kept; of the others only the name, so that their decision is not taken for that of a
// transaction whose PREPARE was never seen. Reader thread only.
class PreparedTransactions {
 public:
  struct Held {
    Transaction transaction;  // Of the PREPARE.
    TransactionBuffer rows;
  };

  // What the rows of all held ones together may take of memory; beyond it they go to spill files.
  explicit PreparedTransactions(std::size_t memory_bytes_max)
      : memory_bytes_max_(memory_bytes_max) {}

  // kUndecodable: one of this name is held already. kSpill: its rows cannot be written.
  [[nodiscard]] Result<void> Hold(const Transaction& transaction, TransactionBuffer rows);
  void Remember(std::string xid) { without_rows_.insert(std::move(xid)); }

  struct Taken {
    bool was_seen;             // Its PREPARE was.
    std::optional<Held> held;  // None: it is not held.
  };
  // The decided one is forgotten.
  [[nodiscard]] Taken Take(std::string_view xid);

  // Whether one of this name was prepared, with or without event rows, and is not decided.
  [[nodiscard]] bool Has(std::string_view xid) const;

  // The one that was prepared first of those held; null: none.
  [[nodiscard]] const Transaction* oldest() const {
    return held_.empty() ? nullptr : &held_.front().transaction;
  }
  [[nodiscard]] std::size_t held_count() const { return held_.size(); }
  [[nodiscard]] GtidSet held_gtids() const;
  // Those whose rows take most of the spill directory, the largest first; none that takes nothing.
  [[nodiscard]] std::vector<const Held*> LargestSpilled(std::size_t count_max) const;

  // Forgets everything but `without_rows`.
  void Restart(std::set<std::string> without_rows);

 private:
  const std::size_t memory_bytes_max_;
  std::list<Held> held_;  // In the order of the log.
  std::size_t memory_bytes_ = 0;
  std::set<std::string> without_rows_;
};

}  // namespace outboxd::binlog
