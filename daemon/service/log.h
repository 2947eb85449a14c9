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

// Prints "outboxd: TEXT" on standard error: why the process ends, where there is no log or nobody
// reads it. For the journal every line of the text begins with the priority "<2>", so that
// `journalctl -p err` finds all of them.
void PrintFatal(std::string_view text);

// Whether standard error is the stream that JOURNAL_STREAM names (systemd.exec(5)).
[[nodiscard]] bool StandardErrorIsJournal();

}  // namespace outboxd
