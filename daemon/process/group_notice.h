#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "binlog/error.h"
#include "daemon/relay/outages.h"

namespace outboxd {

// Says that a member is read which is cut off from its group, when that begins and for another
// reason each, and when it is over. The status and its reminder tell it in between. Any thread.
class GroupNotice {
 public:
  // `outages` is borrowed.
  explicit GroupNotice(Outages& outages) : outages_(outages) {}

  // `cut_off`: why; none: the member that is read is not.
  void Tell(const std::optional<binlog::Error>& cut_off);

 private:
  Outages& outages_;
  std::mutex mutex_;
  std::optional<std::string> told_;  // The reason. Guarded by mutex_.
};

}  // namespace outboxd
