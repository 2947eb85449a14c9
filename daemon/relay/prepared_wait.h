#pragma once

#include <optional>
#include <set>
#include <string>

#include "binlog/prepared_transactions.h"

namespace outboxd {

// Whether an initial read has to wait for XA transactions that were prepared before it began: their
// rows are in no table yet, and the log behind the beginning has no PREPARE of theirs. Whatever is
// prepared now and was not seen in the log since the beginning is one of them (rule 2 of
// docs/initial-read.md).
//
// The server is asked twice, as the beginning can cover a PREPARE that it does not list yet: the
// second time when the highest keys of the tables are known. Reader thread only.
class PreparedWait {
 public:
  // The server is to be asked, which OnAnswer() is told of.
  [[nodiscard]] bool must_ask() const {
    return state_ == State::kToAsk || state_ == State::kToAskAgain;
  }
  // It is to be asked once more when the highest keys are known, which OnBounds() is told of.
  [[nodiscard]] bool must_confirm() const { return state_ == State::kToConfirm; }
  // Whether the account could ask the last time.
  [[nodiscard]] bool may_ask() const { return may_ask_; }

  // `names`: what is prepared; none: the account may not ask. True: some are, so that the log is to
  // be read up to an end behind the answer, and then OnLog().
  [[nodiscard]] bool OnAnswer(std::optional<std::set<std::string>> names);
  // `seen`: what the log since the beginning has prepared and not decided. True: decisions are
  // waited for; after a pause the server is to be asked again, and for the highest keys as well,
  // for rows that come then can be behind them.
  [[nodiscard]] bool OnLog(const binlog::PreparedTransactions& seen);
  void OnBounds() { state_ = State::kToAskAgain; }

  // What one server has prepared says nothing of another one.
  void BeginAnew() { state_ = State::kToAsk; }

 private:
  // kToAsk -> kToConfirm -> kToAskAgain -> kNothingToWaitFor. Where something is waited for, from
  // kToAsk on again.
  enum class State { kToAsk, kToConfirm, kToAskAgain, kNothingToWaitFor };

  void OnNoneLeft();

  State state_ = State::kToAsk;
  bool may_ask_ = false;
  std::set<std::string> names_;  // At the last question.
  bool was_told_ = false;
};

}  // namespace outboxd
