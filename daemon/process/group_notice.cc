#include "daemon/process/group_notice.h"

#include <spdlog/spdlog.h>

#include "daemon/service/log_record.h"

namespace outboxd {

void GroupNotice::Tell(const std::optional<binlog::Error>& cut_off) {
  const std::lock_guard lock(mutex_);
  if (cut_off) {
    outages_.SourceIsCutOff(cut_off->message);
    if (told_ != cut_off->message) {
      Log(LogLevel::kError, {.notice = Notice::kCutOff},
          fmt::format("source: {}", cut_off->ToText()));
    }
    told_ = cut_off->message;
  } else {
    outages_.SourceIsNotCutOff();
    if (told_) spdlog::info("source: what the group commits arrives again");
    told_.reset();
  }
}

}  // namespace outboxd
