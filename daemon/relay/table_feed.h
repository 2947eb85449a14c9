#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/event_source.h"
#include "binlog/log_end.h"
#include "binlog/row_reader.h"
#include "binlog/table_filter.h"
#include "binlog/table_source.h"
#include "binlog/transaction.h"
#include "binlog/transaction_buffer.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/relay/chunk_rows.h"
#include "daemon/relay/failover_watch.h"
#include "daemon/relay/feed.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/prepared_wait.h"
#include "daemon/relay/read_alarms.h"
#include "daemon/relay/read_changes.h"
#include "daemon/relay/read_dump.h"
#include "daemon/relay/read_ledger.h"
#include "daemon/relay/read_tables.h"
#include "daemon/relay/source_retry.h"

namespace outboxd {

// The initial read: the rows of the event tables as they were at the position where it began, its
// beginning. A unit is a chunk of one table. The stream begins there afterwards, so that a row that
// came since is left out here, and one that has changed or gone since is given back as it was:
// after each chunk the log is read, from the beginning on, up to its end as it was asked for after
// the chunk. Why each row goes out exactly once: docs/initial-read.md.
class TableFeed final : public Feed {
 public:
  struct Parts {  // Borrowed; they outlive the feed.
    binlog::EventSource& source;
    binlog::TableSource& tables;
    const std::vector<binlog::TableSelection>& selections;
    ReadLedger& ledger;  // Empty, and used by nobody else.
    const binlog::CharacterSets& character_sets;
    binlog::SchemaLookup lookup;
    DeliveryTracker& tracker;
    FailoverWatch& failovers;
    AlarmLog* alarms;  // Null: alarms are only logged.
    SourceRetry& retry;
    Liveness& liveness;
  };
  struct Options {
    binlog::TransactionBufferOptions buffer = {};
    std::size_t chunk_bytes_max = std::size_t{8} << 20;
    std::size_t chunk_rows_first = 200;
    std::size_t chunk_rows_max = 10'000;
    std::chrono::milliseconds open_timeout{700'000};
    std::chrono::milliseconds read_timeout{700'000};
    // The longest that a statement may take.
    std::chrono::milliseconds statement_timeout{160'000};
  };

  // Goes on behind what the tracker's progress has of the read.
  TableFeed(Parts parts, Options options);

  [[nodiscard]] Result<Advanced> Advance() override;
  [[nodiscard]] binlog::Result<const binlog::Row*> NextRow() override;
  [[nodiscard]] Result<Step> OnUnitError(const binlog::Error& error) override;
  [[nodiscard]] std::string_view row_position() const override { return chunk_.position(); }
  void EndUnit() override;
  void StartOver(const Progress& progress) override;
  void CloseSource() override { dump_.Close(); }
  [[nodiscard]] bool source_is_open() const override { return dump_.is_open(); }

 private:
  // What waits until the log is read up to log_end_.
  enum class Waiting { kNothing, kPreparedXa, kChunk };

  Result<Advanced> AdvanceOnce();

  // Opening.
  Result<Advanced> OpenLog();
  Result<Advanced> OpenTables();
  void SelectTables();
  void BeginAnew();
  void CloseTables();

  // Following the log.
  Result<Advanced> FollowLog();
  Result<Advanced> OnTransaction();
  void OnUnknownDecision(const binlog::Transaction& transaction);
  Result<Advanced> TakeRows();
  Result<Advanced> OnRowError(const binlog::Error& error);
  Result<Advanced> EnterChanges();
  Result<Advanced> ReadLogAnew(const binlog::Error& error);

  // Between chunks.
  Result<Advanced> AskForPreparedXa();
  Result<Advanced> OnPreparedXa();
  Result<Advanced> ConfirmPreparedXa();
  Result<Advanced> FindBound(std::size_t table);
  Result<Advanced> ReadChunk(std::size_t table);
  Result<Advanced> FollowToEnd(Waiting waiting);
  Result<Advanced> BeginUnit();
  Result<Advanced> Drain();
  Result<Advanced> OnTableChanged(const binlog::Error& error);
  void AdaptRows(const binlog::Chunk& chunk);

  Result<Advanced> Retry(const binlog::Error& error, const std::string& place = "");
  Result<Advanced> OnLogError(const binlog::Error& error);
  Result<Advanced> OnTablesError(const binlog::Error& error);

  Parts parts_;
  Options options_;

  // The log, from the beginning on.
  ReadDump dump_;
  binlog::LogEnd log_end_;
  Waiting waiting_ = Waiting::kNothing;

  // The tables.
  bool tables_are_open_ = false;
  // Without GTIDs the position may cover a transaction that stands in the log, but is not committed
  // yet: locking reads wait for it.
  bool waits_for_commits_ = false;
  ReadAlarms alarms_;
  ReadLedger& ledger_;
  ReadTables read_tables_;
  ReadChanges changes_;
  bool retry_after_change_ = false;  // A table was not as described, and is described anew.
  PreparedWait prepared_;

  ChunkRows chunk_;              // The one in hand.
  std::size_t next_chunk_rows_;  // What the next one is asked for.
};

}  // namespace outboxd
