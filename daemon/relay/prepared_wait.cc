#include "daemon/relay/prepared_wait.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/error.h"
#include "base/escaped.h"

namespace outboxd {
namespace {

std::string Joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + Escaped(name);
  return text;
}

}  // namespace

bool PreparedWait::OnAnswer(std::optional<std::set<std::string>> names) {
  may_ask_ = names.has_value();
  if (!names) {
    spdlog::warn("{}",
                 WithHint("the account may not ask for prepared XA transactions: rows of those that"
                          " were prepared before this start and are committed later may be missed",
                          "GRANT XA_RECOVER_ADMIN ON *.* TO the account"));
    state_ = State::kNothingToWaitFor;
    return false;
  }
  names_ = std::move(*names);
  if (names_.empty()) OnNoneLeft();
  return !names_.empty();
}

bool PreparedWait::OnLog(const binlog::PreparedTransactions& seen) {
  std::erase_if(names_, [&seen](const std::string& name) { return seen.Has(name); });
  if (names_.empty()) {
    OnNoneLeft();
    return false;
  }
  state_ = State::kToAsk;
  if (!std::exchange(was_told_, true)) {
    const std::string text = fmt::format(
        "the initial read waits for {} XA transaction{} prepared before it began ({}): rows that"
        " they insert are published once they are committed, rows that they delete are not",
        names_.size(), names_.size() == 1 ? "" : "s", Joined(names_));
    spdlog::warn("{}", WithHint(text, "XA RECOVER lists them; XA COMMIT or XA ROLLBACK each"));
  }
  return true;
}

void PreparedWait::OnNoneLeft() {
  state_ = state_ == State::kToAsk ? State::kToConfirm : State::kNothingToWaitFor;
}

}  // namespace outboxd
