#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/error.h"
#include "binlog/event_source.h"
#include "binlog/log_end.h"
#include "binlog/position.h"
#include "binlog/row_reader.h"
#include "binlog/table_filter.h"
#include "binlog/transaction_reader.h"
#include "daemon/relay/delivery_tracker.h"

namespace outboxd {

// The binary log behind the beginning of an initial read, which the read follows on its own: from
// the tracker's position on, which stays where it is meanwhile. It is opened again where it was
// left, unless what it has shown is forgotten. Reader thread only.
class ReadDump {
 public:
  struct Parts {  // Borrowed; they outlive it.
    binlog::EventSource& source;
    DeliveryTracker& tracker;
    const binlog::CharacterSets& character_sets;
  };

  ReadDump(Parts parts, binlog::SchemaLookup lookup, binlog::TransactionBufferOptions buffer);

  // The rows of the tables that match are wanted from now on. At first, or behind BeginAnew().
  void Select(std::vector<binlog::TableSelection> selections);

  enum class Opened {
    kOpen,
    // A server other than the one that the log was read of: what it has shown does not count here.
    // BeginAnew() has to follow.
    kOtherServer,
  };
  // Opens the source, whose errors are returned.
  [[nodiscard]] binlog::Result<Opened> Open();
  [[nodiscard]] bool is_open() const { return is_open_; }
  // What was opened last.
  [[nodiscard]] const binlog::StreamIdentity& stream() const { return stream_; }
  // Lets go the source; Open() goes on behind what was read.
  void Close();
  // Lets go the source and forgets what was read; Open() begins at the beginning.
  void BeginAnew();

  // The rest: after Select(), while it is open, and behind all rows of the transaction before.

  // Whether all that stands in front of this place in the log was read.
  [[nodiscard]] bool HasReached(const binlog::LogEnd& end);
  // Reads one binlog event. True: it ended a transaction. After an error it is to be closed.
  [[nodiscard]] binlog::Result<bool> Read();
  // Whether the log that is read has another name than that of `end`: of a server that was started
  // with another setting of log_bin, whose files are neither before nor behind that end. True once
  // after each opening.
  [[nodiscard]] bool HasOtherName(const binlog::LogEnd& end);

  // Of the transaction that was read last; valid until the next Read().
  [[nodiscard]] const binlog::Transaction& transaction() const {
    return transactions_->transaction();
  }
  // Whether it has rows that were not returned yet.
  [[nodiscard]] bool has_rows() const { return has_rows_; }
  // The next one, whose `selection` is a number of those selected, valid until the next call; null:
  // there is none, and the dump may be closed to give memory back. Errors are RowReader's.
  [[nodiscard]] binlog::Result<const binlog::Row*> NextRow();

  // What the log has prepared and not decided.
  [[nodiscard]] const binlog::PreparedTransactions& prepared() const {
    return transactions_->prepared();
  }
  // Of the binlog event that was read last, for messages; empty: there is none.
  [[nodiscard]] std::string Place() const;

 private:
  void Attach();
  void OnTransaction();

  Parts parts_;
  // Constant after construction.
  const binlog::SchemaLookup lookup_;
  const binlog::TransactionBufferOptions buffer_;

  bool is_open_ = false;
  binlog::StreamIdentity stream_;
  std::optional<binlog::Position> resume_from_;  // None: begin at the beginning.
  binlog::KnownHistory seen_;                    // What was read; its server is empty: nothing yet.
  bool is_reopened_ = false;
  bool is_at_begin_ = false;                     // Nothing was read behind it yet.
  bool must_attach_ = false;                     // transactions_ does not know of the stream yet.
  std::unique_ptr<binlog::TableFilter> filter_;  // Null, as the two others: before Select().
  std::unique_ptr<binlog::TransactionReader> transactions_;
  std::unique_ptr<binlog::RowReader> rows_;
  bool has_rows_ = false;
};

}  // namespace outboxd
