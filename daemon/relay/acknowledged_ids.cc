#include "daemon/relay/acknowledged_ids.h"

#include <bit>
#include <utility>

namespace outboxd {
namespace {

constexpr std::size_t kRingMin = 1u << 16;

}  // namespace

AcknowledgedIds::AcknowledgedIds() : ring_(kRingMin) {}

void AcknowledgedIds::Acknowledge(sinks::DeliveryId id) {
  if (id < first_unacknowledged_) return;
  if (id - first_unacknowledged_ >= ring_.size()) Grow(id);
  ring_[id % ring_.size()] = true;
  while (ring_[first_unacknowledged_ % ring_.size()]) {
    ring_[first_unacknowledged_ % ring_.size()] = false;
    ++first_unacknowledged_;
    ++count_;
  }
}

void AcknowledgedIds::Grow(sinks::DeliveryId id) {
  std::vector<bool> larger(std::bit_ceil(id - first_unacknowledged_ + 1));
  for (sinks::DeliveryId i = 0; i < ring_.size(); ++i) {
    const sinks::DeliveryId old = first_unacknowledged_ + i;
    larger[old % larger.size()] = ring_[old % ring_.size()];
  }
  ring_ = std::move(larger);
}

void AcknowledgedIds::ForgetBefore(sinks::DeliveryId next) {
  ring_.assign(ring_.size(), false);
  first_ = first_unacknowledged_ = next;
}

}  // namespace outboxd
