#include "daemon/relay/sink_owner.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "daemon/checkpoint/other_receiver.h"
#include "daemon/exit_code_of.h"
#include "daemon/service/log_record.h"

namespace outboxd {

using std::chrono::milliseconds;

SinkOwner::SinkOwner(sinks::Sink& sink, const sinks::SinkWords& words, Liveness& liveness,
                     Outages& outages, const Clock& clock, milliseconds open_timeout)
    : sink_(sink),
      words_(words),
      liveness_(liveness),
      outages_(outages),
      open_timeout_(open_timeout),
      back_off_(clock.WallMicroseconds() + 1) {}

Result<Step> SinkOwner::Open() {
  liveness_.ExpectAnswerWithin(2 * open_timeout_);
  auto opened = sink_.Open(open_timeout_);
  if (!opened) {
    const sinks::Error& error = opened.error();
    const bool is_operators_fault =
        error.kind == sinks::ErrorKind::kDenied || error.kind == sinks::ErrorKind::kConfiguration;
    if (is_operators_fault && !was_open_) {
      return std::unexpected(AsDaemonError(error));
    }
    outages_.SinkFails(error.message);
    is_told_ = false;
    const milliseconds pause = back_off_.Next();
    const std::string text =
        fmt::format("sink: {}; trying again in {} ms", error.message, pause.count());
    Log(LogLevel::kWarning, {.notice = Notice::kSinkAway}, WithHint(text, error.hint));
    return Step{Step::Kind::kPause, pause};
  }
  if (!identity_.empty() && identity_ != opened->identity) {
    Close();
    return std::unexpected(OtherReceiverError(words_, identity_, opened->identity));
  }
  identity_ = std::move(opened->identity);
  keeps_checkpoints_ = opened->keeps_checkpoints;
  checkpoint_ = std::move(opened->checkpoint);
  is_open_ = true;
  was_open_ = true;
  outages_.Count(&FailureCounts::sink_opened);
  outages_.SinkAnswers();
  // After a trouble of deliveries a new producer is needed, and the receiver answered all the time.
  if (!identity_.empty() && !std::exchange(is_told_, true)) {
    spdlog::info("connected to {} {}", words_.identity, identity_);
  }
  return Step{};
}

void SinkOwner::Close() {
  sink_.Close();
  is_open_ = false;
}

Step SinkOwner::PauseAfterTrouble(std::uint64_t delivered) {
  if (delivered != delivered_at_trouble_) back_off_.Reset();
  delivered_at_trouble_ = delivered;
  return {Step::Kind::kPause, back_off_.Next()};
}

}  // namespace outboxd
