#include "tests/sim/commit_stages.h"

namespace outboxd::sim {

using Kind = Transaction::Kind;

void CommitStages::Log(std::size_t transaction) {
  order_.push_back(transaction);
  Apply(history_.transactions[transaction], at_end_);
}

void CommitStages::CommitNext() {
  if (committed_count_ == order_.size()) return;
  const Transaction& transaction = At(committed_count_);
  Apply(transaction, committed_);
  if (transaction.kind == Kind::kXaPrepare) {
    prepared_.insert(transaction.xid);
    undecided_.insert(order_[committed_count_]);
  }
  if (transaction.prepare != kNone) {
    prepared_.erase(transaction.xid);
    undecided_.erase(transaction.prepare);
  }
  ++committed_count_;
}

void CommitStages::ExecuteNext() {
  if (executed_count_ == committed_count_) return;
  const Transaction& transaction = At(executed_count_++);
  if (transaction.gtid) executed_.Add(*transaction.gtid);
}

void CommitStages::CommitAll() {
  while (committed_count_ < order_.size()) CommitNext();
}

void CommitStages::ExecuteAll() {
  CommitAll();
  while (executed_count_ < committed_count_) ExecuteNext();
}

std::set<std::uint64_t> CommitStages::LockedKeys() const {
  std::set<std::uint64_t> keys;
  for (const std::size_t prepared : undecided_) keys.merge(KeysOf(history_.transactions[prepared]));
  for (std::size_t i = committed_count_; i < order_.size(); ++i) keys.merge(KeysOf(At(i)));
  return keys;
}

}  // namespace outboxd::sim
