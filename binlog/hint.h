#pragma once

#include <string>
#include <string_view>

namespace outboxd::binlog {

// What an error says, without what to do about it: where its text becomes a part of another one.
[[nodiscard]] constexpr std::string_view WithoutHint(std::string_view message) {
  return message.substr(0, message.find(" HINT: "));
}

// The other part of it, " HINT: " included, and without; empty: there is none.
[[nodiscard]] constexpr std::string_view HintOf(std::string_view message) {
  return message.substr(WithoutHint(message).size());
}
[[nodiscard]] constexpr std::string_view HintTextOf(std::string_view message) {
  constexpr std::string_view kBefore = " HINT: ";
  std::string_view hint = HintOf(message);
  if (hint.starts_with(kBefore)) hint.remove_prefix(kBefore.size());
  return hint;
}

// An error's text with more of what it says, in front of what to do about it.
[[nodiscard]] inline std::string BeforeHint(std::string_view message, std::string_view more) {
  return std::string(WithoutHint(message)).append(more).append(HintOf(message));
}

}  // namespace outboxd::binlog
