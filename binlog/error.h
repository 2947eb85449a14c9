#pragma once

#include <expected>

#include "base/error.h"

namespace outboxd::binlog {

// Answers the caller's question: try again, give up, or whose fault is it?
enum class ErrorKind {
  kDisconnected,  // The connection is gone: reopen and continue from the last boundary.
  kCorrupt,       // Bad CRC or framing: reopen; at the third time in the same place give up.
  kUndecodable,   // Good bytes that this version cannot decode: give up, retrying is useless.
  kGone,          // The server has purged what is asked for.
  kDiverged,      // The server's history is not the one the position comes from.
  kReplaced,      // Another replica with the same identity has taken over the dump.
  kDenied,        // Wrong password or missing privilege.
  kHandshake,     // TLS or the log-in could not be agreed on: a certificate, a method, or damage.
  kUnsuitable,    // A setting, version or table that cannot be served.
  kUnknown,       // An error or an answer that is not known: whether it passes by is not either.
  kSpill,         // The spill directory fails.
  kTooLarge,      // What the server sends next is larger than the connection takes.
  kInterrupted,   // Interrupt() was called.
  kEnd,           // A file has come to its end.
};

// Whether the same host may well answer otherwise later without anybody's doing, so that its answer
// is none yet.
[[nodiscard]] constexpr bool MayPass(ErrorKind kind) {
  return kind == ErrorKind::kDisconnected || kind == ErrorKind::kUnknown;
}

using Error = BasicError<ErrorKind>;

template <typename T>
using Result = std::expected<T, Error>;

}  // namespace outboxd::binlog
