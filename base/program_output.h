#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace outboxd {

enum class ProgramFault {
  kNotStarted,   // There is no such program, or it may not be run.
  kFailed,       // It ended with another code than 0, or by a signal.
  kTooMuch,      // It printed more than was asked for.
  kTooLong,      // It did not end in time, and was killed.
  kInterrupted,  // `is_over` said so, and it was killed.
};

struct ProgramLimits {
  std::size_t bytes_max = 0;
  std::optional<std::chrono::milliseconds> time_max = {};  // None: it may take any time.
  std::function<bool()> is_over = {};  // Asked every 50 ms or so; empty: nobody breaks it off.
};

// Runs the program that `words` begins with, searched in PATH, and returns what it printed on
// standard output. What it says on standard error goes to ours. It begins with no signal blocked,
// in a process group of its own, and gets none of our open files. Any thread.
[[nodiscard]] std::expected<std::string, BasicError<ProgramFault>> OutputOf(
    std::vector<std::string> words, const ProgramLimits& limits);

}  // namespace outboxd
