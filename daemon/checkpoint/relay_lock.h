#pragma once

#include "daemon/error.h"

namespace outboxd {

// Which one of all processes that could be a relay is it: the one that holds its lock.
class RelayLock {
 public:
  virtual ~RelayLock() = default;

  // Takes it, until destruction. kOtherActive: another process holds it.
  [[nodiscard]] virtual Result<void> Lock() = 0;
};

}  // namespace outboxd
