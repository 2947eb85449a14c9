#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/event_header.h"
#include "binlog/event_source.h"
#include "binlog/log_end.h"
#include "binlog/payload_reader.h"
#include "binlog/position.h"
#include "binlog/prepared_transactions.h"
#include "binlog/query_event.h"
#include "binlog/stream_place.h"
#include "binlog/table_filter.h"
#include "binlog/transaction.h"
#include "binlog/transaction_buffer.h"

namespace outboxd::binlog {

// Groups raw binlog events into committed transactions. Verifies checksums, tracks the position,
// unpacks compressed transactions, keeps the raw rows events of matching tables until the
// terminator (of a prepared XA transaction until its decision) and skips all others undecoded.
//
// Reader thread only. After an error it must be Reset() before the next Feed().
class TransactionReader {
 public:
  enum class Outcome {
    kNothing,      // Read on.
    kNewFile,      // position() has moved to another file, or its GTID set has become known.
    kIdle,         // A heartbeat: reached() is where the server stands.
    kTransaction,  // transaction() and rows() hold one; valid until the next Feed().
  };

  // `filter` is borrowed and outlives the reader.
  TransactionReader(const TableFilter& filter, TransactionBufferOptions buffer_options);

  // Begins on a stream that was opened behind `from`. An open transaction is forgotten, a prepared
  // one is not: its PREPARE is before `from`.
  void Reset(const StreamIdentity& stream, const Position& from);

  // Forgets the prepared transactions as well: the stream will bring those with event rows again.
  // `prepared`: the names of those without.
  void ForgetPrepared(std::set<std::string> prepared);

  // Takes the next event, header and checksum included. kCorrupt: bad checksum, framing or order of
  // events. kUndecodable: something this version does not understand; the message says where.
  [[nodiscard]] Result<Outcome> Feed(Bytes event);

  [[nodiscard]] const Transaction& transaction() const { return transaction_; }
  [[nodiscard]] TransactionBuffer& rows() { return rows_; }
  // The transaction whose terminator was not fed yet, as far as it has come; null: none is open.
  [[nodiscard]] const Transaction* open_transaction() const {
    return state_ == State::kBetween ? nullptr : &transaction_;
  }

  // The last boundary: behind everything whose terminator was fed, prepared transactions included.
  // Its GTID set is empty while it is not known, that is, in a stream by file that did not begin
  // with one until the next file begins.
  [[nodiscard]] const Position& position() const { return place_.boundary(); }
  // Where a stream of the same server that is opened anew goes on.
  [[nodiscard]] Position ResumePosition() const { return place_.ResumePosition(); }
  // Whether one can begin there: by file not in every place.
  [[nodiscard]] bool CanResume() const { return place_.CanResume(); }
  // Whether the GTIDs of transactions count: the set of those before them is known.
  [[nodiscard]] bool collects_gtids() const { return place_.collects_gtids(); }
  [[nodiscard]] const PreparedTransactions& prepared() const { return prepared_; }
  // The largest event fed since Reset(), in bytes.
  [[nodiscard]] std::size_t largest_event() const { return largest_event_; }
  // Where the event fed last begins in its file, in 64 bits.
  [[nodiscard]] std::uint64_t event_offset() const { return place_.event_begin(); }
  // Whether all that stands in front of this place in the log has been fed or, of a stream by GTID,
  // skipped by the server: a boundary of the server that the stream is from. False as well while
  // that is not known: in front of the stream's first event, and for a file whose name differs in
  // more than its number, which another setting of log_bin makes.
  [[nodiscard]] bool HasReached(std::string_view file, std::uint64_t offset) const {
    return place_.HasReached(file, offset, open_transaction());
  }
  // Between two transactions: up to where all that stands in the log has been fed or, of a stream
  // by GTID, skipped by the server. With a HEARTBEAT it may lie 4 GiB before where that really is.
  [[nodiscard]] LogEnd reached() const { return place_.reached(); }
  // An error of the stream, its source's or Feed()'s, with what it means here: in front of the
  // first transaction of one by file that began within its file, kCorrupt says that none is there.
  [[nodiscard]] Error Explained(Error error) const;
  // File and offset of the event fed last, for messages.
  [[nodiscard]] std::string Place() const { return place_.Text(); }

 private:
  // clang-format off
  // The grammar of a stream, in terms of binlog events:
  //
  //   stream      = { file }
  //   file        = [ROTATE(artificial)] FORMAT_DESCRIPTION [PREVIOUS_GTIDS] { group }
  //                 (without GTIDs the first group behind a given offset may lack its GTID event)
  //                 [ROTATE|STOP]
  //   group       = ( GTID | GTID_TAGGED | ANONYMOUS_GTID )
  //                 ( ddl | decision | transaction | PAYLOAD )
  //   PAYLOAD     = transaction, compressed
  //   ddl         = QUERY(other)
  //   decision    = QUERY(XA COMMIT) | QUERY(XA ROLLBACK)
  //   transaction = QUERY(BEGIN | XA START) { change } terminator
  //   change      = ROWS_QUERY | TABLE_MAP | ROWS | statement
  //                 | QUERY(SAVEPOINT | ROLLBACK TO | XA END)
  //   statement   = { INTVAR | RAND | USER_VAR | BEGIN_LOAD } ( QUERY(other) | EXECUTE_LOAD )
  //   terminator  = XID | QUERY(COMMIT) | QUERY(ROLLBACK) | XA_PREPARE
  //
  // Every ROWS is of a table whose TABLE_MAP stands before it in the same statement, which a flag
  // of its last ROWS ends. XA_PREPARE of two phases ends only what XA START began.
  // HEARTBEAT, artificial ROTATE and ignorable events may stand anywhere. A crashed server leaves a
  // transaction without terminator at the end of a file; it was never committed.
  // clang-format on
  enum class State {
    kBetween,        // Before a group.
    kOpened,         // After the group's GTID event.
    kInTransaction,  // After BEGIN or XA START.
  };

  // `body`: after the header, without checksum.
  Result<Outcome> FeedGroup(const EventHeader& header, Bytes body);
  Result<Outcome> FeedBetween(const EventHeader& header, Bytes body);
  Result<Outcome> FeedOpened(const EventHeader& header, Bytes body);
  Result<Outcome> FeedInTransaction(const EventHeader& header, Bytes body);

  // Events that frame the stream and may come in any state; none: `header` is of another kind.
  Result<std::optional<Outcome>> FeedFraming(const EventHeader& header, Bytes event, Bytes body);
  Result<void> OnFormatDescription(const EventHeader& header, Bytes event);
  Result<Outcome> OnPayload(Bytes body);
  Result<Outcome> FeedPacked(const PayloadReader::Event& event);
  Result<Outcome> OnQueryInTransaction(Bytes body);
  Result<Outcome> OnRollbackToSavepoint(std::string_view savepoint);
  void OnStatement(const Query& query);
  void OnDdl(const Query& query);
  Result<Outcome> OnXaPrepare(Bytes body);
  Result<Outcome> OnXaDecision(const Query& query);
  Result<void> OnTableMap(Bytes body);
  Result<void> OnRows(EventType type, Bytes body);
  // Whether rows_ is to keep a rows event, which is entered into the transaction; `head`: its body,
  // or no more than the table id and the flags in front of it.
  Result<bool> TakesRows(EventType type, Bytes head);
  void TakePrepared();
  Result<Outcome> Complete();
  // The same error; of the spill directory, with what it holds of whom.
  [[nodiscard]] Error WithHolders(Error error) const;
  // Moves the position behind the completed transaction and keeps or takes what is prepared. Only
  // once the event that brought it was read to its end: what fails before is fed again.
  Result<Outcome> Settle();
  Result<Outcome> Unexpected(const EventHeader& header) const;
  void DropOpenTransaction();

  // Constant after construction.
  const TableFilter& filter_;

  // The stream.
  State state_ = State::kBetween;
  StreamPlace place_;
  // The stream begins in the middle of a file, perhaps behind the ANONYMOUS_GTID of its first
  // group: that is the place which other readers of the log, Debezium among them, store.
  bool may_lack_gtid_event_ = false;
  bool has_checksums_ = false;
  std::uint8_t event_types_ = 255;
  std::size_t largest_event_ = 0;
  PayloadReader payload_;

  // The open transaction.
  struct Savepoint {
    std::string name;
    std::uint64_t mark;  // In rows_.
    bool has_rows;       // Whether the transaction had some.
  };
  struct StatementTable {
    std::uint64_t id;
    bool matches;
    bool takes_updates;
    bool takes_all_changes;
  };
  Transaction transaction_;
  TransactionBuffer rows_;
  bool was_read_ = false;  // By its GTID, in a stream by file: it is passed over.
  std::vector<StatementTable> statement_tables_;  // What its rows events may be of.
  std::vector<Savepoint> savepoints_;

  PreparedTransactions prepared_;
};

}  // namespace outboxd::binlog
