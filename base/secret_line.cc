#include "base/secret_line.h"

#include <cstring>

#include "base/program_output.h"

namespace outboxd {
namespace {

constexpr std::chrono::seconds kTimeMax{10};

SecretFault FaultOf(ProgramFault fault) {
  switch (fault) {
    case ProgramFault::kFailed:
    case ProgramFault::kTooLong:
      return SecretFault::kFailed;
    case ProgramFault::kInterrupted:
      return SecretFault::kInterrupted;
    case ProgramFault::kNotStarted:
    case ProgramFault::kTooMuch:
      break;
  }
  return SecretFault::kWrong;
}

}  // namespace

std::expected<std::string, BasicError<SecretFault>> SecretLineOf(
    const std::vector<std::string>& command, std::string_view what, std::size_t bytes_max,
    const std::function<bool()>& is_over) {
  auto line = OutputOf(command, {.bytes_max = bytes_max, .time_max = kTimeMax, .is_over = is_over});
  if (!line) return std::unexpected(line.error().As(FaultOf(line.error().kind)));
  for (const char end : {'\n', '\r'}) {
    if (line->ends_with(end)) line->pop_back();
  }
  const bool is_one_line =
      !line->empty() && line->find_first_of(std::string_view("\n\0", 2)) == std::string::npos;
  if (is_one_line) return std::move(*line);
  explicit_bzero(line->data(), line->size());
  return Fail(SecretFault::kWrong, "{} printed no {}: that is one line, and nothing else",
              command.front(), what);
}

}  // namespace outboxd
