#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace outboxd {

// A field of the journal: its name, and its value, which may hold any bytes.
using JournalField = std::pair<std::string_view, std::string>;

// Sends one record to the journal (systemd.journal-fields(7)). Whether it took it: where its socket
// is not to be seen, as in a root directory without it, the caller has to say it elsewhere. May
// wait as a write to standard error may. Any thread.
[[nodiscard]] bool SendToJournal(std::span<const JournalField> fields);

// Whether standard error is the stream that JOURNAL_STREAM names (systemd.exec(5)).
[[nodiscard]] bool StandardErrorIsJournal();

}  // namespace outboxd
