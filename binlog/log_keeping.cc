#include "binlog/log_keeping.h"

#include "binlog/log_file_name.h"

namespace outboxd::binlog {

bool LogKeeping::is_seen() const {
  if (!oldest_age || !HasFilesBefore(oldest_file)) return false;
  return expiry.count() == 0 || *oldest_age < expiry;
}

std::optional<std::chrono::seconds> LogKeeping::kept() const {
  if (is_seen()) return oldest_age;
  return expiry.count() == 0 ? std::nullopt : std::optional(expiry);
}

}  // namespace outboxd::binlog
