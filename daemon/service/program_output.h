#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "daemon/error.h"

namespace outboxd {

// Runs the program that `words` begins with, searched in PATH, and returns what it printed on
// standard output. What it says on standard error goes to ours. It begins with no signal blocked.
// Waits until it ends. kState: it cannot be started; kConfiguration: it failed, or printed more
// than `bytes_max`.
[[nodiscard]] Result<std::string> OutputOf(std::vector<std::string> words, std::size_t bytes_max);

}  // namespace outboxd
