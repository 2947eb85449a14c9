#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace outboxd {

// `text` from elsewhere (a server, a row, a file) made fit for a log line or an error message:
// control characters (C0, C1, DEL), line separators, marks that reverse the writing direction,
// backslashes and bytes that are no UTF-8 stand as \n, \x1b or \u202e. What is behind the first
// `bytes_max` bytes is left out and its length told.
[[nodiscard]] std::string Escaped(std::string_view text, std::size_t bytes_max = 256);

}  // namespace outboxd
