#pragma once

#include <expected>

#include "base/error.h"

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

using Error = BasicError<ErrorKind>;

template <typename T>
using Result = std::expected<T, Error>;

}  // namespace outboxd::sinks
