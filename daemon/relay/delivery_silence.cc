#include "daemon/relay/delivery_silence.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "daemon/service/log_record.h"

namespace outboxd {

void DeliverySilence::End() {
  const auto now = clock_.Now();
  if (is_told_) {
    const std::chrono::duration<double> seconds = now - since_;
    outages_.SinkAcknowledges();
    spdlog::info("{} answers again after {:.1f} s", receiver_, seconds.count());
  }
  is_told_ = is_only_apart_ = false;
  since_ = now;
}

void DeliverySilence::Connects(bool is_connected) {
  const auto now = clock_.Now();
  if (is_connected) {
    apart_since_.reset();
    if (is_only_apart_) End();
    return;
  }
  if (!apart_since_) apart_since_ = now;
  if (is_told_ || now - *apart_since_ < kToldFrom) return;
  const std::string reason = complaint_.empty() ? "there is no connection" : complaint_;
  Log(LogLevel::kWarning, {.notice = Notice::kSinkAway},
      fmt::format("{} cannot be reached; nothing waits for it yet: {}", receiver_, reason));
  outages_.SinkIsSilent(reason);
  since_ = *apart_since_;
  is_told_ = is_only_apart_ = true;
}

void DeliverySilence::Complains(std::string complaint) {
  const bool is_new = !complaint.empty() && complaint != complaint_;
  complaint_ = std::move(complaint);
  if (is_new && is_told_) outages_.SinkIsSilent(is_only_apart_ ? complaint_ : Reason());
}

std::string DeliverySilence::Reason() const {
  constexpr std::string_view kWait = "messages are on their way, and none is acknowledged";
  return complaint_.empty() ? std::string(kWait) : fmt::format("{}: {}", kWait, complaint_);
}

void DeliverySilence::GoOn() {
  if (is_told_ || clock_.Now() - since_ < kToldFrom) return;
  Log(LogLevel::kWarning, {.notice = Notice::kSinkAway},
      fmt::format("{} has acknowledged nothing for {} s; events wait, none is lost{}{}", receiver_,
                  kToldFrom.count(), complaint_.empty() ? "" : ": ", complaint_));
  outages_.SinkIsSilent(Reason());
  is_told_ = true;
}

}  // namespace outboxd
