#include "daemon/exit_code_of.h"

#include "base/invariant.h"

namespace outboxd {

ExitCode ExitCodeOf(binlog::ErrorKind kind) {
  switch (kind) {
    case binlog::ErrorKind::kDisconnected:
      return ExitCode::kUnreachable;
    case binlog::ErrorKind::kCorrupt:
    case binlog::ErrorKind::kUndecodable:
      return ExitCode::kUndecodable;
    case binlog::ErrorKind::kGone:
      return ExitCode::kGap;
    case binlog::ErrorKind::kDiverged:
      return ExitCode::kDiverged;
    case binlog::ErrorKind::kReplaced:
      return ExitCode::kOtherActive;
    case binlog::ErrorKind::kDenied:
      return ExitCode::kDenied;
    case binlog::ErrorKind::kHandshake:
    case binlog::ErrorKind::kUnsuitable:
    case binlog::ErrorKind::kUnknown:
    case binlog::ErrorKind::kTooLarge:
      return ExitCode::kConfiguration;
    case binlog::ErrorKind::kSpill:
      return ExitCode::kState;
    case binlog::ErrorKind::kInterrupted:
    case binlog::ErrorKind::kEnd:
      return ExitCode::kOk;
  }
  OUTBOXD_INVARIANT(false, "each kind of binlog/error.h has a code");
}

ExitCode ExitCodeOf(sinks::ErrorKind kind) {
  switch (kind) {
    case sinks::ErrorKind::kUnreachable:
    case sinks::ErrorKind::kProducerLost:
      return ExitCode::kUnreachable;
    case sinks::ErrorKind::kRejected:
      return ExitCode::kUndecodable;
    case sinks::ErrorKind::kDenied:
      return ExitCode::kDenied;
    case sinks::ErrorKind::kConfiguration:
      return ExitCode::kConfiguration;
    case sinks::ErrorKind::kClosed:
      return ExitCode::kOk;
  }
  OUTBOXD_INVARIANT(false, "each kind of sinks/error.h has a code");
}

}  // namespace outboxd
