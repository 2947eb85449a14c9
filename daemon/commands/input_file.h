#pragma once

#include <cstddef>
#include <string>

#include "daemon/error.h"

namespace outboxd {

// The text of a file that the command line names. kConfiguration: it is missing, cannot be read or
// has more than `bytes_max` bytes.
[[nodiscard]] Result<std::string> ReadInputFile(const std::string& path, std::size_t bytes_max);

}  // namespace outboxd
