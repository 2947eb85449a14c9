#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/event_header.h"
#include "binlog/event_source.h"
#include "binlog/gtid.h"
#include "binlog/position.h"
#include "binlog/table_filter.h"
#include "binlog/transaction_buffer.h"

namespace outboxd::binlog {

// One committed transaction (or DDL, or empty GTID) as the log has it.
struct Transaction {
  std::optional<Gtid> gtid;        // None: anonymous.
  std::string file;                // Where it stands on the server it was read from ...
  std::uint64_t begin_offset = 0;  // ... the first byte of its GTID event, in 64 bits ...
  std::uint64_t end_offset = 0;    // ... and the first byte behind its terminator.
  std::uint64_t commit_us = 0;     // Microseconds since the epoch; 0: not told.
  bool has_rows = false;           // Rows of event tables were inserted and stand in rows().
  // Rows events on event tables that are no inserts: they publish nothing.
  std::uint32_t updates = 0;
  std::uint32_t deletes = 0;
};

// Groups raw binlog events into committed transactions. Verifies checksums, tracks the position,
// keeps the raw rows events of matching tables until the terminator and skips all others undecoded.
//
// Reader thread only. After an error it must be Reset() before the next Feed().
class TransactionReader {
 public:
  enum class Outcome {
    kNothing,      // Read on.
    kNewFile,      // position() has moved to the start of another file.
    kTransaction,  // transaction() and rows() hold one; valid until the next Feed().
  };

  // `filter` is borrowed and outlives the reader.
  TransactionReader(const TableFilter& filter, TransactionBufferOptions buffer_options);

  // Begins on a stream that was opened behind `from`. An open transaction is forgotten.
  void Reset(const StreamIdentity& stream, const Position& from);

  // Takes the next event, header and checksum included. kCorrupt: bad checksum, framing or order of
  // events. kUndecodable: something this version does not understand; the message says where.
  [[nodiscard]] Result<Outcome> Feed(Bytes event);

  [[nodiscard]] const Transaction& transaction() const { return transaction_; }
  [[nodiscard]] TransactionBuffer& rows() { return rows_; }

  // The last boundary: behind everything whose terminator was fed. Its GTID set grows only in a
  // stream by GTID.
  [[nodiscard]] const Position& position() const { return position_; }
  // File and offset of the event fed last, for messages.
  [[nodiscard]] std::string Place() const;

 private:
  // The grammar of a stream, in terms of binlog events:
  //
  //   stream      = { file }
  //   file        = [ROTATE(artificial)] FORMAT_DESCRIPTION [PREVIOUS_GTIDS] { group }
  //   [ROTATE|STOP] group       = ( GTID | GTID_TAGGED | ANONYMOUS_GTID ) ( ddl | transaction ) ddl
  //   = QUERY(other) | QUERY(XA COMMIT) | QUERY(XA ROLLBACK) transaction = QUERY(BEGIN | XA START)
  //   { change } terminator change      = ROWS_QUERY | TABLE_MAP | ROWS | statement |
  //   QUERY(SAVEPOINT | ROLLBACK TO) statement   = { INTVAR | RAND | USER_VAR | BEGIN_LOAD } (
  //   QUERY(other) | EXECUTE_LOAD ) terminator  = XID | QUERY(COMMIT) | QUERY(ROLLBACK) |
  //   XA_PREPARE
  //
  // HEARTBEAT, artificial ROTATE and ignorable events may stand anywhere. A crashed server leaves a
  // transaction without terminator at the end of a file; it was never committed.
  enum class State {
    kBetween,        // Before a group.
    kOpened,         // After the group's GTID event.
    kInTransaction,  // After BEGIN or XA START.
  };

  // `body`: after the header, without checksum.
  Result<Outcome> FeedBetween(const EventHeader& header, Bytes body);
  Result<Outcome> FeedOpened(const EventHeader& header, Bytes body);
  Result<Outcome> FeedInTransaction(const EventHeader& header, Bytes body);

  // Events that frame the stream and may come in any state; none: `header` is of another kind.
  Result<std::optional<Outcome>> FeedFraming(const EventHeader& header, Bytes event, Bytes body);
  Result<void> OnFormatDescription(const EventHeader& header, Bytes event);
  Result<Outcome> OnRotate(Bytes body);
  Result<Outcome> OnQueryInTransaction(Bytes body);
  Result<Outcome> OnXaPrepare(Bytes body);
  Result<void> OnTableMap(Bytes body);
  Result<void> OnRows(const EventHeader& header, Bytes body);
  Result<Outcome> Complete();
  Result<Outcome> Unexpected(const EventHeader& header) const;
  void DropOpenTransaction();
  void Advance(const EventHeader& header);

  // Constant after construction.
  const TableFilter& filter_;

  // The stream.
  State state_ = State::kBetween;
  bool by_gtid_ = false;
  bool has_checksums_ = false;
  std::uint8_t event_types_ = 255;
  std::string file_;
  std::uint64_t event_begin_ = 0;  // Of the event being fed, in 64 bits.
  std::uint64_t event_end_ = 0;
  Position position_;

  // The open transaction.
  struct Savepoint {
    std::string name;
    std::uint64_t mark;
  };
  Transaction transaction_;
  TransactionBuffer rows_;
  bool in_xa_ = false;
  std::vector<std::uint64_t> matching_table_ids_;  // Of the current statement.
  std::vector<Savepoint> savepoints_;
};

}  // namespace outboxd::binlog
