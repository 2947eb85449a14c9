#pragma once

#include "binlog/error.h"
#include "daemon/error.h"
#include "sinks/error.h"

namespace outboxd {

// The exit code of an error of a library that ends the run.
[[nodiscard]] ExitCode ExitCodeOf(binlog::ErrorKind kind);
[[nodiscard]] ExitCode ExitCodeOf(sinks::ErrorKind kind);

// An error of a library as one of the daemon, with its text and its hint.
[[nodiscard]] inline Error AsDaemonError(const binlog::Error& error) {
  return error.As(ExitCodeOf(error.kind));
}
[[nodiscard]] inline Error AsDaemonError(const sinks::Error& error) {
  return error.As(ExitCodeOf(error.kind));
}

}  // namespace outboxd
