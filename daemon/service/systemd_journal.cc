#include "daemon/service/systemd_journal.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

// This program's file and line say nothing to those who read the journal.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace outboxd {

bool SendToJournal(std::span<const JournalField> fields) {
  // sd_journal_sendv() returns 0, too, where there is no journal (systemd's
  // src/libsystemd/sd-journal/journal-send.c).
  constexpr char kSocket[] = "/run/systemd/journal/socket";
  if (::access(kSocket, W_OK) != 0) return false;
  std::vector<std::string> texts;
  std::vector<iovec> parts;
  texts.reserve(fields.size());
  parts.reserve(fields.size());
  for (const auto& [name, value] : fields) {
    std::string& text = texts.emplace_back(fmt::format("{}={}", name, value));
    parts.push_back({text.data(), text.size()});
  }
  return ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

bool StandardErrorIsJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  struct stat status{};
  if (fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

}  // namespace outboxd
