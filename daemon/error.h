#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <utility>

#include "daemon/exit_code.h"

namespace outboxd {

// In the daemon every error that is passed up ends, sooner or later, as an exit code; so that is
// what tells errors apart here. `message` is for people: lower case, names the thing and the value,
// no full stop, and ends with " HINT: ..." when the operator can act. It never holds a secret or a
// payload.
struct Error {
  ExitCode exit_code;
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

template <typename... Args>
std::unexpected<Error> Fail(ExitCode exit_code, fmt::format_string<Args...> format,
                            Args&&... args) {
  return std::unexpected(Error{exit_code, fmt::format(format, std::forward<Args>(args)...)});
}

template <typename... Args>
std::unexpected<Error> Fail(const Error& cause, fmt::format_string<Args...> format,
                            Args&&... args) {
  return std::unexpected(Error{
      cause.exit_code,
      fmt::format("{}: {}", fmt::format(format, std::forward<Args>(args)...), cause.message)});
}

}  // namespace outboxd
