#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace outboxd::binlog {

// How long a server keeps its binary log: what it is set to, and what it shows. The setting alone
// does not tell it: servers that somebody else runs remove files by rules of their own, and anyone
// with the right can remove some at any time.
struct LogKeeping {
  std::chrono::seconds expiry{0};  // As it is set, behind the last write to a file; 0: for ever.
  std::string oldest_file;         // Of those that are still there.
  // How long ago that one was begun; none: not known.
  std::optional<std::chrono::seconds> oldest_age;

  // For how long what is committed now stays in the log, by the shorter of both; none: for ever.
  [[nodiscard]] std::optional<std::chrono::seconds> kept() const;
  // Whether that is by what the server shows, and not as it is set: files that were there once are
  // gone already, though they were no older.
  [[nodiscard]] bool is_seen() const;

  friend bool operator==(const LogKeeping&, const LogKeeping&) = default;
};

}  // namespace outboxd::binlog
