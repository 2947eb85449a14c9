#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "binlog/error.h"
#include "binlog/table_filter.h"
#include "binlog/table_source.h"
#include "binlog/transaction.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/error.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/read_alarms.h"
#include "daemon/relay/read_ledger.h"
#include "daemon/relay/read_table.h"

namespace outboxd {

// The tables of an initial read: which they are and what they look like, where each of them ends,
// which one is next, and how far each is handed over and acknowledged. Reader thread only.
class ReadTables {
 public:
  struct Parts {  // Borrowed; they outlive it.
    const std::vector<binlog::TableSelection>& selections;
    binlog::TableSource& source;  // Open when something is asked of it.
    ReadLedger& ledger;
    DeliveryTracker& tracker;
    ReadAlarms& alarms;
    Liveness& liveness;
  };

  // `statement_timeout`: the longest that a statement may take.
  ReadTables(Parts parts, std::chrono::milliseconds statement_timeout);

  // Each keeps its number and its place in memory from the first description on.
  [[nodiscard]] const std::vector<ReadTable>& all() const { return tables_; }

  // Whether they are to be described: at first, and whenever one may have changed since.
  [[nodiscard]] bool must_be_described() const { return must_be_described_; }
  void MustBeDescribed() { must_be_described_ = true; }

  enum class Described {
    kFirst,    // Each begins where the tracker's progress has it.
    kAlike,    // As they were, but that some may be gone.
    kAltered,  // Some have another key or other columns, and begin again: what is known of the log
               // was entered for the ones before.
  };
  // Asks how they are now. No chunk is in flight. After an error it is to be called again: the
  // source's, or kSpill: that a table is gone cannot be recorded.
  [[nodiscard]] binlog::Result<Described> Describe();

  // A statement of the log that may have altered them or taken rows away, of which it tells.
  // kState: the alarm cannot be recorded.
  [[nodiscard]] Result<void> OnDdl(const binlog::Transaction& transaction);

  // The first one whose highest key is to be asked for; none: all are known that are needed.
  [[nodiscard]] std::optional<std::size_t> WithoutBound() const;
  // Asks for it. Errors are the source's: HighestKey().
  [[nodiscard]] binlog::Result<void> FindBound(std::size_t table, bool waits_for_commits);
  void ForgetBounds();

  // Whether anything is handed over.
  [[nodiscard]] bool has_begun() const;
  // The one that is read next, behind what is handed over of it; none: all are handed over.
  [[nodiscard]] std::optional<std::size_t> Next() const;

  // A whole chunk was handed over: so many rows, up to `end`; none: to the end of the table.
  void HandOver(std::size_t table, std::uint64_t rows, std::optional<ReadCursor> end);
  // Whether chunks are handed over that are not acknowledged, as far as is known.
  [[nodiscard]] bool has_unacknowledged() const { return !handed_.empty(); }
  // Asks the tracker what is acknowledged by now, and forgets what the ledger has of it.
  void TakeAcknowledged();
  // What is handed over and not acknowledged counts as not handed over.
  void StartOver();
  // Tells the tracker that the read is over. All are acknowledged to their end.
  void Finish();

 private:
  struct HandedChunk {
    std::uint64_t number;
    std::size_t table;
    std::optional<ReadCursor> cursor;
    bool is_last;
    std::uint64_t rows;
  };

  [[nodiscard]] binlog::Result<std::vector<ReadTable>> Find();
  [[nodiscard]] binlog::Result<void> Begin(std::vector<ReadTable> found);
  [[nodiscard]] binlog::Result<void> Resume(const InitialRead& read, ReadTable& table);
  [[nodiscard]] binlog::Result<void> FindUnfinished(const InitialRead& read,
                                                    const std::vector<ReadTable>& found);
  [[nodiscard]] binlog::Result<Described> CompareWith(std::vector<ReadTable> found);
  [[nodiscard]] binlog::Result<void> FindGone(std::vector<ReadTable>& found);
  [[nodiscard]] binlog::Result<void> OnGone(const std::string& schema_name,
                                            const std::string& table_name);

  // Constant after construction.
  const Parts parts_;
  const std::chrono::milliseconds statement_timeout_;

  std::vector<ReadTable> tables_;
  bool must_be_described_ = true;
  bool is_described_ = false;   // Once at least.
  bool loss_was_told_ = false;  // That a DDL statement took rows or a table away.

  std::uint64_t chunk_number_ = 0;  // Of the chunk handed over last.
  std::deque<HandedChunk> handed_;  // In order.
};

}  // namespace outboxd
