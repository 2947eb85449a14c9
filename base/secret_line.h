#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace outboxd {

enum class SecretFault {
  kWrong,        // The program cannot be started, or what it printed is no secret.
  kFailed,       // It failed or took too long, which may pass.
  kInterrupted,  // `is_over` said so.
};

// A secret that a program prints: a password or a token. The program may take ten seconds, and has
// to print one line that is not empty and no longer than `bytes_max`. `what`: "password", for
// messages, none of which holds anything of it. The caller wipes what it no longer needs. Any
// thread.
[[nodiscard]] std::expected<std::string, BasicError<SecretFault>> SecretLineOf(
    const std::vector<std::string>& command, std::string_view what, std::size_t bytes_max,
    const std::function<bool()>& is_over = {});

}  // namespace outboxd
