#pragma once

#include <expected>

#include "base/error.h"
#include "daemon/exit_code.h"

namespace outboxd {

// In the daemon every error that is passed up ends, sooner or later, as an exit code; so that is
// what tells errors apart here.
using Error = BasicError<ExitCode>;

template <typename T>
using Result = std::expected<T, Error>;

}  // namespace outboxd
