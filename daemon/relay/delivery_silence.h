#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/relay/outages.h"
#include "daemon/service/clock.h"

namespace outboxd {

// Tells people, in the log, of times in which the receiver acknowledges nothing though messages are
// on their way: a broker that is restarted costs some seconds and nothing else, and would leave no
// trace of them. Acknowledgement thread only.
class DeliverySilence {
 public:
  // From how long on it is told.
  static constexpr std::chrono::seconds kToldFrom{5};

  // `receiver`: its name, as "Kafka". All are borrowed.
  DeliverySilence(std::string_view receiver, const Clock& clock, Outages& outages)
      : receiver_(receiver), clock_(clock), outages_(outages), since_(clock.Now()) {}

  // What was said last of the connections to it; empty: it has answered since.
  void Complains(std::string complaint);
  // It has answered.
  void End();
  // Whether there is a connection to it. What waits for an acknowledgement is no better for one.
  void Connects(bool is_connected);
  // Nothing is on its way, so that no answer is due. What was told stands until it answers: that a
  // message was taken back says nothing of it.
  void Rest() { since_ = is_told_ ? since_ : clock_.Now(); }
  // There are messages on their way, and still no answer.
  void GoOn();

 private:
  [[nodiscard]] std::string Reason() const;

  // Constant after construction.
  const std::string_view receiver_;
  const Clock& clock_;
  Outages& outages_;

  std::string complaint_;
  Clock::TimePoint since_;
  bool is_told_ = false;
  bool is_only_apart_ = false;  // It is told for want of a connection, with nothing on its way.
  std::optional<Clock::TimePoint> apart_since_;  // None: there is a connection.
};

}  // namespace outboxd
