#pragma once

#include <string>
#include <string_view>

#include "daemon/config/config.h"
#include "daemon/exit_code.h"

namespace outboxd {

// Sets up where spdlog::info() and its kind, and Log(), write to; one record is one line, whatever
// its text holds. Called once, before other threads start.
// Where standard error is the journal, a record goes there with its fields and with
// OUTBOXD_RELAY = `relay`; should the journal not take it, it goes to standard error behind its
// priority "<6>". Elsewhere it goes to standard error as `config` says: as text with time and
// level, or as a JSON object with the fields.
void StartLog(const LogConfig& config, const std::string& relay);

// From now on. Any thread.
void SetLogLevel(LogConfig::Level level);

// Says "outboxd: TEXT", why the process ends with `code`, where there is no log or nobody reads it.
// The journal gets it as one record; what stands on standard error instead has the priority "<2>"
// in front of every line, so that `journalctl -p err` finds all of them.
void PrintFatal(std::string_view text, ExitCode code);

}  // namespace outboxd
