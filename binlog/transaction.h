#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "binlog/ddl.h"
#include "binlog/gtid.h"

namespace outboxd::binlog {

// What a transaction is in the two-phase commit of XA.
enum class XaStep {
  kNone,        // An ordinary transaction, or XA that commits in one phase.
  kHeld,        // Prepared, with event rows: they are kept until it is decided.
  kPrepared,    // Prepared, without event rows: whatever is decided, nothing comes of it.
  kCommitted,   // The decision about an earlier one.
  kRolledBack,  // The same.
};

// What is kept of a statement, in bytes.
inline constexpr std::size_t kStatementBytesMax = 200;

// One committed transaction (or DDL, empty GTID, prepared XA transaction) as the log has it.
struct Transaction {
  std::optional<Gtid> gtid;        // None: anonymous.
  std::string file;                // Where it stands on the server it was read from ...
  std::uint64_t begin_offset = 0;  // ... the first byte of its GTID event, in 64 bits ...
  std::uint64_t end_offset = 0;    // ... and the first byte behind its terminator.
  std::uint64_t commit_us = 0;     // Microseconds since the epoch; 0: not told.
  bool has_rows = false;           // Rows of event tables that are to be published.

  // Rows events on event tables that are no inserts and publish nothing.
  std::uint32_t updates = 0;
  std::uint32_t deletes = 0;
  // Changes in statement format that may have changed an event table: their rows are not in the
  // log. The first one's text, cut, in any character set.
  std::uint32_t statements = 0;
  std::string statement;
  // A DDL statement that names an event table, cut; empty: none. What it did to the rows, if it
  // did, is not in the log.
  std::string ddl;
  // What the whole of it may have done to event tables; also of a statement that `ddl` does not
  // hold, on an index of theirs or on a schema.
  DdlEffect ddl_effect = DdlEffect::kNone;

  XaStep xa = XaStep::kNone;
  std::string xid;  // As the log words it: "X'61',X'',1"; empty: no XA.
  // kCommitted, kRolledBack: no PREPARE of it was seen, so that what it held is not known.
  bool xa_is_unknown = false;
  // kCommitted, kRolledBack of a held one: the GTID of its PREPARE, which is done with this one.
  std::optional<Gtid> prepared_gtid;
};

}  // namespace outboxd::binlog
