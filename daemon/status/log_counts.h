#pragma once

#include <cstdint>

namespace outboxd {

// What the log has shown since the process began, of other tables too; what was read again counts
// again.
struct LogCounts {
  std::uint64_t committed = 0;    // Transactions; of XA when they are decided.
  std::uint64_t rolled_back = 0;  // The same.
  std::uint64_t spilled = 0;      // Transactions that did not fit into memory.
  std::uint64_t unselected = 0;   // Rows of event tables that outbox.where passes over.

  friend bool operator==(const LogCounts&, const LogCounts&) = default;
};

}  // namespace outboxd
