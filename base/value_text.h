#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace outboxd {

// Values as people write them. An error says what is wrong with the value, for the caller to put in
// front where it stands; the value stands in it escaped.
enum class ValueFault { kWrong };
template <typename T>
using Parsed = std::expected<T, BasicError<ValueFault>>;

[[nodiscard]] Parsed<bool> ParseYesNo(std::string_view text);  // yes, no, true, false, on, off

// Digits only, within these bounds.
[[nodiscard]] Parsed<std::uint64_t> ParseNumber(std::string_view text, std::uint64_t least,
                                                std::uint64_t most);

// All of `text` as a number in base 10 without sign; none: anything else, or too large.
[[nodiscard]] std::optional<std::uint64_t> ParseDigits(std::string_view text);

// A program and its arguments, with blanks between them.
[[nodiscard]] Parsed<std::vector<std::string>> ParseCommand(std::string_view text);

}  // namespace outboxd
