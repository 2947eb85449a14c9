#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "binlog/password.h"

namespace outboxd::binlog {

// Who logs in to a server, and how that is proved.
struct LogIn {
  std::string user;
  PasswordSource password;  // Asked at every connect.
  std::string tls_ca;       // Only for kVerifyCa and kVerifyIdentity, which need it.
  std::string tls_cert, tls_key;

  friend bool operator==(const LogIn&, const LogIn&) = default;
};

// A log-in that may change while connections use it. Any thread.
class RenewableLogIn {
 public:
  // Counts from the next connect on.
  void Set(LogIn log_in) {
    const std::lock_guard lock(mutex_);
    log_in_ = std::move(log_in);
  }
  // None: it has not changed yet.
  [[nodiscard]] std::optional<LogIn> Get() const {
    const std::lock_guard lock(mutex_);
    return log_in_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<LogIn> log_in_;  // Guarded by mutex_.
};

}  // namespace outboxd::binlog
