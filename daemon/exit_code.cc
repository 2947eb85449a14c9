#include "daemon/exit_code.h"

namespace outboxd {

bool NeedsPerson(ExitCode code) {
  switch (code) {
    case ExitCode::kUsage:
    case ExitCode::kUndecodable:
    case ExitCode::kConfiguration:
    case ExitCode::kGap:
    case ExitCode::kDiverged:
    case ExitCode::kCheckpoint:
    case ExitCode::kNoStart:
      return true;
    case ExitCode::kOk:
    case ExitCode::kNotReady:
    case ExitCode::kNotRunning:
    case ExitCode::kUnreachable:
    case ExitCode::kBug:
    case ExitCode::kState:
    case ExitCode::kDenied:
    case ExitCode::kOtherActive:
      break;
  }
  return false;
}

}  // namespace outboxd
