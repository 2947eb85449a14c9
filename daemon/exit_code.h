#pragma once

namespace outboxd {

// What a command's exit status tells its caller: a person, a script or systemd. docs/exit-codes.md
// says what to do about each; systemd/outboxd@.service lists those that a restart cannot mend.
enum class ExitCode : int {
  kOk = 0,
  kNotReady = 1,        // `health` and `status` only: no messages flow, or nothing runs.
  kNotRunning = 3,      // `status` only: the relay does not run.
  kUsage = 64,          // The command line is wrong.
  kUndecodable = 65,    // Data that cannot be decoded or mapped.
  kUnreachable = 69,    // A server is unreachable (one-shot commands only; `run` never gives up).
  kBug = 70,            // outboxd itself is wrong.
  kState = 74,          // The state directory fails.
  kDenied = 77,         // Wrong password or missing privilege.
  kConfiguration = 78,  // Configuration, server settings, TLS.
  kGap = 80,            // A binary log that is needed was purged.
  kDiverged = 81,       // Another server or another history.
  kOtherActive = 82,    // Another relay of this name is active.
  kCheckpoint = 83,     // The checkpoint is damaged or another relay's.
  kNoStart = 84,        // No checkpoint and no initial position chosen.
};

// Whether a run that ended so needs a person: another start would end in the same way.
[[nodiscard]] bool NeedsPerson(ExitCode code);

}  // namespace outboxd
