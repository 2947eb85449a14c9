#pragma once

#include <cstdint>
#include <vector>

#include "sinks/message.h"

namespace outboxd {

// Which of the ids in flight are acknowledged: a ring of bits, which grows with what is in flight.
// Guarded by DeliveryTracker.
class AcknowledgedIds {
 public:
  AcknowledgedIds();

  // Ids that were passed or forgotten before are ignored.
  void Acknowledge(sinks::DeliveryId id);
  // Forgets all ids before `next`: no report of them counts from now on.
  void ForgetBefore(sinks::DeliveryId next);

  // Ids before it were forgotten.
  [[nodiscard]] sinks::DeliveryId first() const { return first_; }
  // The first id that is not acknowledged; all before it are, or were forgotten.
  [[nodiscard]] sinks::DeliveryId first_unacknowledged() const { return first_unacknowledged_; }
  // How many ids were acknowledged with all before them, ever.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  void Grow(sinks::DeliveryId id);

  std::vector<bool> ring_;
  sinks::DeliveryId first_ = 0;
  sinks::DeliveryId first_unacknowledged_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace outboxd
