#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/config/config.h"

namespace outboxd {

// Sets up what spdlog::info() and its kind write to: standard error, one line a record, whatever
// the text holds. Under systemd (standard error is the journal) a record begins with the priority
// "<6>", which the journal takes away and keeps; elsewhere with time and level. Called once, before
// other threads start.
void StartLog(LogConfig::Level level);

// Whether standard error is the stream that JOURNAL_STREAM names (systemd.exec(5)).
[[nodiscard]] bool StandardErrorIsJournal();

// `text` from elsewhere (a server, a row, a file) made fit for a log line or an error message:
// control characters (C0, C1, DEL), line separators, marks that reverse the writing direction,
// backslashes and bytes that are no UTF-8 stand as \n, \x1b or \u202e. What is behind the first
// `bytes_max` bytes is left out and its length told.
[[nodiscard]] std::string Escaped(std::string_view text, std::size_t bytes_max = 256);

}  // namespace outboxd
