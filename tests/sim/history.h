#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "binlog/gtid.h"

namespace outboxd::sim {

inline constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
inline constexpr std::size_t kPartitions = 3;
inline constexpr const char* kDeadLetterTopic = "dead";

// One row inserted into the event table.
struct Event {
  enum class State { kPrepared, kCommitted, kRolledBack };
  // Why it cannot be delivered for now.
  enum class Fault {
    kDeliverable,
    kHasNoTopic,       // The mapping finds none: nothing but an operator gets past it.
    kRefusedAtOnce,    // The sink does not take it.
    kRefusedByBroker,  // The sink takes it and reports the failure later.
  };

  std::size_t transaction;
  std::size_t key;
  State state;
  Fault fault = Fault::kDeliverable;
  Fault dead_fault = Fault::kDeliverable;  // The same of its dead letter.
  std::uint64_t order = 0;                 // Of its commit among all events.
  std::uint64_t committed_us = 0;          // When it was committed last.
  bool was_committed = false;              // Ever: a failover can take a decision back.
  bool is_appended = false;
  bool is_acknowledged = false;
  bool may_be_skipped = false;  // An operator asked for it.
  bool was_refused = false;
  bool is_dead_lettered = false;  // Its dead letter is appended.
};

// One change of a row of the event table, which stands there under the key `seq`. Only scenarios
// that read tables know of keys.
struct RowChange {
  enum class Kind {
    kInsert,
    kDelete,
    kMove,    // Its key changes.
    kUpdate,  // Another column changes in place.
  };

  Kind kind;
  std::size_t event;        // Which row: the event that its insert was.
  std::uint64_t seq;        // Where it stands before.
  std::uint64_t to;         // Where it stands afterwards.
  std::size_t version = 0;  // Of its payload before: how often it was updated.
};

// One transaction of the source.
struct Transaction {
  enum class Kind {
    kInsert,     // Commits rows of the event table, with foreign changes around them.
    kForeign,    // Touches other tables only.
    kUpdate,     // Updates rows of the event table.
    kStatement,  // A change in statement format that may concern the event table.
    kDdl,
    kRollback,  // Stands in the log though it was rolled back.
    kTorn,      // The server crashed while it wrote it.
    kXaPrepare,
    kXaCommit,
    kXaRollback,
  };
  enum class Ddl {
    kForeign,
    kTruncate,   // Empties the event table.
    kAddColumn,  // Gives it one more.
  };

  Kind kind;
  std::vector<std::size_t> events = {};  // Of the event table; a decision has those prepared.
  std::vector<std::size_t> undone = {};  // Rolled back to a savepoint.
  // All that it does to rows of the event table, the inserts of `events` and `undone` among it; of
  // a decision: those prepared. Empty in scenarios that read no tables.
  std::vector<RowChange> changes = {};
  std::vector<RowChange> undone_changes = {};
  std::size_t undone_at = 0;  // Of `changes`: before which one.
  Ddl ddl = Ddl::kForeign;
  bool has_added_column = false;  // The event table had Ddl::kAddColumn before.
  std::optional<binlog::Gtid> gtid = {};
  std::uint64_t commit_us = 0;
  std::string xid = {};
  std::size_t decision = kNone;  // Of a prepared one.
  std::size_t prepare = kNone;   // Of a decision.
  bool is_compressed = false;
  // The session's binlog_row_image is MINIMAL: the log has the key of a row that was changed or
  // deleted, and what was changed.
  bool has_partial_images = false;
  bool shares_rows_event = false;  // All rows in one ROWS event.
  std::size_t padding_bytes = 0;
  bool is_lost = false;  // A failover left it behind.
};

// What really happened, whatever the relay makes of it.
struct History {
  std::vector<Event> events;
  std::vector<Transaction> transactions;
  std::uint64_t next_order = 1;

  // Nothing of it has to be delivered any more.
  [[nodiscard]] bool IsDone(const Event& event) const {
    return event.state == Event::State::kRolledBack || event.is_acknowledged ||
           event.may_be_skipped;
  }
};

[[nodiscard]] inline std::string KeyOf(const Event& event) {
  return "k" + std::to_string(event.key);
}
[[nodiscard]] inline std::string IdOf(std::size_t event) { return "e" + std::to_string(event); }
[[nodiscard]] inline std::string ValueOf(std::size_t event, std::size_t version = 0) {
  const std::string value = "p" + std::to_string(event);
  return version == 0 ? value : value + "." + std::to_string(version);
}
[[nodiscard]] inline std::size_t PartitionOf(const Event& event) { return event.key % kPartitions; }

}  // namespace outboxd::sim
