#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/error.h"

namespace outboxd {

// Something by which events may exist that were not published, or were published and do not exist.
struct Alarm {
  std::string kind;             // "statement", "update", "xa", "lost", "initial read".
  std::string position;         // The transaction: its GTID, or file and offset; or a GTID set.
  std::string text;             // For people; escaped.
  std::uint64_t commit_us = 0;  // Of the transaction; 0: not told.
};

// The alarms of one relay until an operator acknowledges them: `alarms.jsonl` in its state
// directory, a JSON line for each. What stands there is kept in memory as well and read again only
// when the file changed, since the one who acknowledges is another process. Any thread.
// kState: the folder fails.
class AlarmLog {
 public:
  // So many are recorded; what comes on top, or does not fit into kBytesMax, is in the log and in
  // the counts only.
  static constexpr std::size_t kStandingMax = 1000;
  static constexpr std::size_t kBytesMax = std::size_t{16} << 20;

  explicit AlarmLog(std::string directory);

  // Adds one, synced, unless the same transaction's alarm of this kind stands already (it is read
  // again after a restart) or there is no room for more.
  [[nodiscard]] Result<void> Record(const Alarm& alarm);

  [[nodiscard]] Result<std::vector<Alarm>> Standing() const;
  [[nodiscard]] Result<std::size_t> CountStanding() const;

  // Takes away all that stand now, and returns them. Before that `keep` gets them, to keep a
  // record; where it fails all stand on, with its error. One that is recorded meanwhile stands on.
  [[nodiscard]] Result<std::vector<Alarm>> Acknowledge(
      const std::function<Result<void>(const std::vector<Alarm>&)>& keep = nullptr);

 private:
  // Which state of the file was read.
  struct Version {
    ino_t inode = 0;
    off_t bytes = 0;  // Where there is no file, all is 0.
    std::timespec modified{}, changed{};
  };
  class FolderLock;

  [[nodiscard]] Result<Version> FileVersion() const;
  [[nodiscard]] Result<void> ReadIfChanged() const;
  void Keep(Alarm alarm) const;

  // Constant after construction.
  const std::string directory_, path_;

  mutable std::mutex mutex_;
  // Guarded by mutex_. What was read last.
  mutable Version version_;
  mutable std::vector<Alarm> standing_;
  mutable std::set<std::pair<std::string, std::string>> known_;  // (kind, position)
};

}  // namespace outboxd
