#pragma once

#include <string>

namespace outboxd {

// Who types this command, for the record of what people did: the user of the log-in, which stays
// the same through su and sudo (the kernel's loginuid); where there was no log-in, SUDO_USER, else
// the user of the process. A name, or the number where the number has none. Whoever can type
// commands of a relay can pretend to be another: it is for those who want to know, no proof.
// `root`: "" for the machine's own files.
[[nodiscard]] std::string PersonName(const std::string& root = "");

}  // namespace outboxd
