#include "base/value_text.h"

#include <algorithm>
#include <charconv>

#include "base/escaped.h"
#include "base/trimmed.h"

namespace outboxd {

std::optional<std::uint64_t> ParseDigits(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

Parsed<std::uint64_t> ParseNumber(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto number = ParseDigits(text);
  if (!number || *number < least || *number > most) {
    return Fail(ValueFault::kWrong, "'{}' is not a number from {} to {}", Escaped(text), least,
                most);
  }
  return *number;
}

Parsed<bool> ParseYesNo(std::string_view text) {
  for (const std::string_view word : {"yes", "true", "on"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"no", "false", "off"}) {
    if (text == word) return false;
  }
  return Fail(ValueFault::kWrong, "'{}' is neither yes nor no", Escaped(text));
}

Parsed<std::vector<std::string>> ParseCommand(std::string_view text) {
  if (text.find_first_of("\"'\\$") != std::string_view::npos) {
    return Fail(ValueFault::kWrong,
                "no shell reads this, so that quotes, backslashes and '$' mean nothing")
        .Hint("name a script that holds the command");
  }
  std::vector<std::string> words;
  while (!(text = Trimmed(text)).empty()) {
    const std::size_t end = text.find_first_of(" \t");
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end, text.size()));
  }
  if (words.empty()) return Fail(ValueFault::kWrong, "names no program");
  return words;
}

}  // namespace outboxd
