#pragma once

#include <string>
#include <string_view>

namespace outboxd {

// What docs/commands.md says of a command, and of each of its forms, as plain text for a terminal
// of 80 columns: the forms, what it does, its options, examples with their output, exit codes.
// Empty: there is no such command.
[[nodiscard]] std::string ManualOf(std::string_view command);

// The same of another page of that kind. For tests.
[[nodiscard]] std::string ManualOf(std::string_view command, std::string_view page);

}  // namespace outboxd
