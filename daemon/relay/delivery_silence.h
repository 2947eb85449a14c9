#pragma once

#include <chrono>
#include <string>

#include "daemon/relay/outages.h"
#include "daemon/service/clock.h"

namespace outboxd {

// Tells people, in the log, of times in which Kafka acknowledges nothing though messages are on
// their way: a broker that is restarted costs some seconds and nothing else, and would leave no
// trace of them. Acknowledgement thread only.
class DeliverySilence {
 public:
  // From how long on it is told.
  static constexpr std::chrono::seconds kToldFrom{5};

  // Both are borrowed.
  DeliverySilence(const Clock& clock, Outages& outages)
      : clock_(clock), outages_(outages), since_(clock.Now()) {}

  // What was said last of the connections to Kafka; empty: it has answered since.
  void Complains(std::string complaint);
  // Kafka has answered, or nothing is on its way.
  void End();
  // There are messages on their way, and still no answer.
  void GoOn();

 private:
  [[nodiscard]] std::string Reason() const;

  // Constant after construction.
  const Clock& clock_;
  Outages& outages_;

  std::string complaint_;
  Clock::TimePoint since_;
  bool is_told_ = false;
};

}  // namespace outboxd
