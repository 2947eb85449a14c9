#pragma once

#include "binlog/error.h"
#include "daemon/exit_code.h"
#include "sinks/error.h"

namespace outboxd {

// The exit code of an error of a library that ends the run.
[[nodiscard]] ExitCode ExitCodeOf(binlog::ErrorKind kind);
[[nodiscard]] ExitCode ExitCodeOf(sinks::ErrorKind kind);

}  // namespace outboxd
