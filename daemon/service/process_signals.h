#pragma once

namespace outboxd {

// Signals as something to ask for, not to be interrupted by: SIGTERM and SIGINT stop, SIGHUP reads
// the configuration anew or is ignored. SIGPIPE is ignored. Construct it before any other thread
// starts, so that all of them inherit the mask.
class ProcessSignals {
 public:
  enum class Hangup { kIgnored, kReloads };

  explicit ProcessSignals(Hangup hangup = Hangup::kIgnored);

  // Whether a stop was asked for since the last call; never waits.
  [[nodiscard]] bool StopArrived();
  // The same of a reload; several that came at once are one.
  [[nodiscard]] bool ReloadArrived();
};

}  // namespace outboxd
