#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/error.h"

namespace outboxd {

// Something by which events may exist that were not published, or were published and do not exist.
struct Alarm {
  std::string kind;             // "statement", "update", "xa", "lost".
  std::string position;         // The transaction: its GTID, or file and offset; or a GTID set.
  std::string text;             // For people; escaped.
  std::uint64_t commit_us = 0;  // Of the transaction; 0: not told.
};

// The alarms of one relay, in its state directory, until an operator acknowledges them:
//   alarms.jsonl          one JSON line for each, never deleted by outboxd; others may
//   alarms.acknowledged   how many bytes of it are acknowledged
// kState: the folder fails.
class AlarmLog {
 public:
  // So many are recorded; what comes on top is in the log and in the counts only.
  static constexpr std::size_t kStandingMax = 1000;

  explicit AlarmLog(std::string directory) : directory_(std::move(directory)) {}

  // Adds one, synced, unless the same transaction's alarm of this kind stands already (it is read
  // again after a restart) or kStandingMax of them stand.
  [[nodiscard]] Result<void> Record(const Alarm& alarm);

  [[nodiscard]] Result<std::vector<Alarm>> Standing() const;
  // All that stand now.
  [[nodiscard]] Result<void> Acknowledge();

 private:
  [[nodiscard]] Result<void> ForgetDeleted();

  std::string directory_;
};

}  // namespace outboxd
