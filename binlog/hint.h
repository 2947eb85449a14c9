#pragma once

#include <string_view>

namespace outboxd::binlog {

// What an error says, without what to do about it: where its text becomes a part of another one.
[[nodiscard]] constexpr std::string_view WithoutHint(std::string_view message) {
  return message.substr(0, message.find(" HINT: "));
}

}  // namespace outboxd::binlog
