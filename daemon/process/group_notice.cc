#include "daemon/process/group_notice.h"

#include <spdlog/spdlog.h>

namespace outboxd {

void GroupNotice::Tell(const std::optional<std::string>& cut_off) {
  const std::lock_guard lock(mutex_);
  if (cut_off) {
    outages_.SourceIsCutOff(*cut_off);
    if (told_ != cut_off) spdlog::error("source: {}", *cut_off);
  } else {
    outages_.SourceIsNotCutOff();
    if (told_) spdlog::info("source: what the group commits arrives again");
  }
  told_ = cut_off;
}

}  // namespace outboxd
