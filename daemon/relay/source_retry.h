#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "binlog/error.h"
#include "daemon/error.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/step.h"
#include "daemon/service/clock.h"

namespace outboxd {

// Whether what fails while the rows of a transaction are taken is waited out: it is the spill
// directory, or the server that is asked for a table's columns, and not the rows.
[[nodiscard]] bool IsWaitedOut(binlog::ErrorKind kind);

// What a relay does about a failing MySQL, in every phase: waits and tries again, or ends. Which
// server errors are what: docs/server-errors.md. Reader thread only.
class SourceRetry {
 public:
  struct Options {
    // Whether a host has answered this process already, in the preparation.
    bool has_answered = false;
    // How often an unknown error is told again while it lasts.
    std::chrono::milliseconds tell_interval{60'000};
  };

  // Both references are borrowed.
  SourceRetry(const Clock& clock, Outages& outages, Options options);

  // `place`: of the binlog event that was read last, for damage. kInterrupted: goes on at once, the
  // stop that interrupted it is seen elsewhere. An error: the relay ends.
  [[nodiscard]] Result<Step> OnError(const binlog::Error& error, const std::string& place);

  // An alarm about what was read cannot be recorded: nothing goes on before it is.
  [[nodiscard]] Step OnUnrecorded(const Error& error);

  // The source is open: from now on the operator's faults, and what is not known, are waited out.
  void Opened();
  // Something was read whole, and every alarm about it is recorded.
  void Succeeded();

 private:
  // Of failures without anything read in between.
  struct Failure {
    Clock::TimePoint since;
    std::uint64_t since_us;
    // When an unknown error was told last, and which.
    Clock::TimePoint told_at{};
    std::string told{};
  };

  Failure& NoteFailure();
  Result<Step> OnDamage(const binlog::Error& error, const std::string& place);
  Step OnNoRoom(const std::string& reason, const std::string& hint);
  Step OnUnknown(const binlog::Error& error, Failure& failure);
  Step Pause() { return {Step::Kind::kPause, back_off_.Next()}; }

  // Constant after construction.
  const Clock& clock_;
  const Options options_;

  Outages& outages_;
  BackOff back_off_;
  bool is_unrecorded_ = false;
  bool has_answered_;
  std::optional<Clock::TimePoint> opened_at_;  // None: it is not open.
  std::optional<Failure> failure_;
  std::string damaged_place_;
  int damaged_times_ = 0;
};

}  // namespace outboxd
