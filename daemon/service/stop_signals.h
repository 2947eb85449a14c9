#pragma once

namespace outboxd {

// SIGTERM and SIGINT as something to ask for, not to be interrupted by; SIGHUP and SIGPIPE are
// ignored. Construct it before any other thread starts, so that all of them inherit the mask.
class StopSignals {
 public:
  StopSignals();

  // Whether one has arrived since the last call; never waits.
  [[nodiscard]] bool Arrived();
};

}  // namespace outboxd
