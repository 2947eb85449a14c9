#include "binlog/prepared_transactions.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace outboxd::binlog {

Result<void> PreparedTransactions::Hold(const Transaction& transaction, TransactionBuffer rows) {
  const auto same = std::ranges::find_if(
      held_, [&](const Held& held) { return held.transaction.xid == transaction.xid; });
  if (same != held_.end()) {
    return Fail(ErrorKind::kUndecodable,
                "XA transaction {} was prepared at {}:{} and again at {}:{} without a decision "
                "between",
                transaction.xid, same->transaction.file, same->transaction.begin_offset,
                transaction.file, transaction.begin_offset)
        .Hint("compare the event table with the topic, then move on with 'outboxd position set'");
  }
  if (memory_bytes_ + rows.memory_bytes() > memory_bytes_max_) {
    if (auto spilled = rows.Spill(); !spilled) return spilled;
  }
  rows.ShrinkToFit();
  memory_bytes_ += rows.memory_bytes();
  held_.push_back({transaction, std::move(rows)});
  return {};
}

PreparedTransactions::Taken PreparedTransactions::Take(std::string_view xid) {
  const auto found =
      std::ranges::find_if(held_, [&](const Held& held) { return held.transaction.xid == xid; });
  if (found == held_.end()) {
    return {.was_seen = without_rows_.erase(std::string(xid)) != 0, .held = std::nullopt};
  }
  Held taken = std::move(*found);
  held_.erase(found);
  memory_bytes_ -= taken.rows.memory_bytes();
  return {.was_seen = true, .held = std::move(taken)};
}

bool PreparedTransactions::Has(std::string_view xid) const {
  return without_rows_.contains(std::string(xid)) ||
         std::ranges::any_of(held_,
                             [xid](const Held& held) { return held.transaction.xid == xid; });
}

GtidSet PreparedTransactions::held_gtids() const {
  GtidSet gtids;
  for (const Held& held : held_) {
    if (held.transaction.gtid) gtids.Add(*held.transaction.gtid);
  }
  return gtids;
}

std::vector<const PreparedTransactions::Held*> PreparedTransactions::LargestSpilled(
    std::size_t count_max) const {
  std::vector<const Held*> largest;
  for (const Held& held : held_) {
    if (held.rows.spilled_bytes() > 0) largest.push_back(&held);
  }
  std::ranges::sort(largest, std::greater{},
                    [](const Held* held) { return held->rows.spilled_bytes(); });
  largest.resize(std::min(largest.size(), count_max));
  return largest;
}

void PreparedTransactions::Restart(std::set<std::string> without_rows) {
  held_.clear();
  memory_bytes_ = 0;
  without_rows_ = std::move(without_rows);
}

}  // namespace outboxd::binlog
