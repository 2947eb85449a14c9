#include "daemon/relay/delivery_silence.h"

#include <spdlog/spdlog.h>

namespace outboxd {

void DeliverySilence::End() {
  const auto now = clock_.Now();
  if (is_told_) {
    const std::chrono::duration<double> seconds = now - since_;
    outages_.SinkAcknowledges();
    spdlog::info("Kafka answers again after {:.1f} s", seconds.count());
  }
  is_told_ = false;
  since_ = now;
}

void DeliverySilence::GoOn() {
  if (is_told_ || clock_.Now() - since_ < kToldFrom) return;
  spdlog::warn("Kafka has acknowledged nothing for {} s; events wait, none is lost",
               kToldFrom.count());
  outages_.SinkIsSilent("messages are on their way, and none is acknowledged");
  is_told_ = true;
}

}  // namespace outboxd
