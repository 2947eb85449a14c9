#pragma once

#include <span>
#include <string_view>

#include "binlog/error.h"

namespace outboxd::binlog {

// Where an error is met first of all. A proxy before the server may answer with it anywhere.
enum class MetAt {
  kLogIn,
  kStatement,
  kDump,  // The request for the binary log, and the stream.
};

// An error of a server, or of a proxy before it, whose meaning is known. docs/server-errors.md has
// the same rows.
struct ServerError {
  unsigned number;
  std::string_view name;  // As MySQL's performance_schema has it, or whose it is otherwise.
  std::string_view sign;  // A part of the text that tells it from others; empty: any text.
  MetAt met_at;
  ErrorKind kind;
};

// The one place that says what a number means: by number, and those of one number in the order in
// which their signs are looked for.
[[nodiscard]] std::span<const ServerError> KnownServerErrors();

// Null: the number is not known.
[[nodiscard]] const ServerError* FindServerError(unsigned number, std::string_view text);

}  // namespace outboxd::binlog
