#pragma once

#include <string>

#include "binlog/error.h"
#include "daemon/error.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/clock.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/step.h"

namespace outboxd {

// What a relay does about a failing MySQL, in every phase: waits and tries again, or ends. Reader
// thread only.
class SourceRetry {
 public:
  // Both are borrowed.
  SourceRetry(const Clock& clock, Outages& outages);

  // `place`: of the binlog event that was read last, for damage. kInterrupted: goes on at once, the
  // stop that interrupted it is seen elsewhere. An error: the relay ends.
  [[nodiscard]] Result<Step> OnError(const binlog::Error& error, const std::string& place);

  // An alarm about what was read cannot be recorded: nothing goes on before it is.
  [[nodiscard]] Step OnUnrecorded(const Error& error);

  // The source is open: from now on the operator's faults are waited out.
  void Opened();
  // Something was read whole, and every alarm about it is recorded.
  void Succeeded();

 private:
  Result<Step> OnDamage(const binlog::Error& error, const std::string& place);
  Step Pause() { return {Step::Kind::kPause, back_off_.Next()}; }

  Outages& outages_;
  BackOff back_off_;
  bool was_open_ = false;
  bool is_unrecorded_ = false;
  std::string damaged_place_;
  int damaged_times_ = 0;
};

}  // namespace outboxd
