#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/event_header.h"

namespace outboxd::sim {

// One image of a row of the event table, as the log has it.
struct LoggedImage {
  std::size_t event;
  std::size_t version;  // Of its payload.
  std::uint64_t seq;
};

struct LoggedChange {
  std::optional<LoggedImage> before;  // None: an insert.
  std::optional<LoggedImage> after;   // None: a delete.
};

// Reads the log of a scenario that reads tables, independent of the code under test: no checksums
// are verified, nothing may be compressed.
class LogInterpreter {
 public:
  enum class Outcome {
    kNothing,
    kTransaction,  // changes() were committed.
    kTruncation,   // The event table was emptied.
    kHeartbeat,    // Nothing more is there, or what was read before is skipped.
  };

  explicit LogInterpreter(bool has_checksums) : has_checksums_(has_checksums) {}

  [[nodiscard]] Outcome Feed(binlog::Bytes event);

  [[nodiscard]] const std::vector<LoggedChange>& changes() const { return committed_; }
  // Where the event that was fed last ends.
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  Outcome Take(binlog::EventType type, binlog::Bytes body);
  Outcome OnQuery(binlog::Bytes body);
  void OnTableMap(binlog::Bytes body);
  void OnRows(binlog::EventType type, binlog::Bytes body);

  const bool has_checksums_;
  std::string file_;
  std::uint64_t offset_ = 0;
  std::size_t columns_ = 0;  // Of the event table.
  std::vector<LoggedChange> open_, committed_;
  std::size_t savepoint_ = 0;  // In open_.
  std::string xid_;            // Of the open transaction.
  std::map<std::string, std::vector<LoggedChange>> prepared_;
};

}  // namespace outboxd::sim
