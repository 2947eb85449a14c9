#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <utility>

namespace outboxd::sinks {

// Answers the caller's question: wait, treat this one message as bad, or start over?
enum class ErrorKind {
  kUnreachable,    // No server answers, or it says "later": wait and try again.
  kRejected,       // This message can never be delivered as things stand: a bad event.
  kProducerLost,   // The producer is unusable: open a new one and replay what is not acknowledged.
  kDenied,         // Wrong credentials or a right that is missing.
  kConfiguration,  // A property that is wrong, unknown, refused or denied.
  kClosed,         // The other end of an output stream is gone.
};

// `message` is for people: lower case, names the thing and the value, no full stop, and ends with
// " HINT: ..." when the operator can act. It never holds a secret or a payload.
struct Error {
  ErrorKind kind;
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

template <typename... Args>
std::unexpected<Error> Fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

// Passes `cause` up with the place it happened at in front: "topic orders: not authorised".
template <typename... Args>
std::unexpected<Error> Fail(const Error& cause, fmt::format_string<Args...> format,
                            Args&&... args) {
  return std::unexpected(Error{
      cause.kind,
      fmt::format("{}: {}", fmt::format(format, std::forward<Args>(args)...), cause.message)});
}

}  // namespace outboxd::sinks
