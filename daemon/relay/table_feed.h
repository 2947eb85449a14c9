#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/event_source.h"
#include "binlog/row_reader.h"
#include "binlog/table_filter.h"
#include "binlog/table_source.h"
#include "binlog/transaction_reader.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/relay/event_position.h"
#include "daemon/relay/failover_watch.h"
#include "daemon/relay/feed.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/read_changes.h"
#include "daemon/relay/read_ledger.h"
#include "daemon/relay/read_table.h"
#include "daemon/relay/source_retry.h"

namespace outboxd {

// The initial read: the rows of the event tables as they were at the position where it began, G1. A
// unit is a chunk of one table. The stream begins at G1 afterwards, so that a row that came since
// is left out here, and one that has changed or gone since is given back as it was: after each
// chunk the log is read, from G1 on, up to its end as it was asked for after the chunk. Why each
// row goes out exactly once: docs/initial-read.md.
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
    const Clock& clock;
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
  [[nodiscard]] std::string_view row_position() const override { return row_position_; }
  void EndUnit() override;
  void StartOver(const Progress& progress) override;
  void CloseSource() override;
  [[nodiscard]] bool source_is_open() const override { return log_is_open_; }

 private:
  // What waits until the log is read up to log_end_.
  enum class Waiting { kNothing, kPreparedXa, kChunk };
  struct HandedChunk {
    std::uint64_t number;
    std::size_t table;
    std::optional<ReadCursor> cursor;
    bool is_last;
    std::uint64_t rows;
  };

  Result<Advanced> AdvanceOnce();

  // Opening.
  Result<Advanced> OpenLog();
  Result<Advanced> OnOtherServer();
  Result<Advanced> OpenTables();
  binlog::Result<void> DescribeTables();
  binlog::Result<void> DescribeAgain(std::vector<ReadTable> found);
  binlog::Result<void> ResumeTable(const InitialRead& read, ReadTable& table);
  binlog::Result<void> FindUnfinished(const InitialRead& read, const std::vector<ReadTable>& found);
  binlog::Result<void> OnGone(const std::string& schema_name, const std::string& table_name);
  void PrepareReaders();
  void BeginAnew();
  void ForgetBounds();

  // Following the log.
  Result<Advanced> FollowLog();
  Result<Advanced> OnTransaction();
  void OnUnknownDecision(const binlog::Transaction& transaction);
  Result<Advanced> TakeRows();
  Result<Advanced> OnRowError(const binlog::Error& error);
  void GiveMemoryBack();
  Result<void> OnDdl(const binlog::Transaction& transaction);
  Result<Advanced> EnterChanges();
  Result<void> OnLosses(const std::vector<ReadChanges::Loss>& losses);
  Result<void> OnLosses(std::span<const ReadChanges::Loss> losses);
  Result<Advanced> ReadLogAnew(const binlog::Error& error);

  // Between chunks.
  Result<Advanced> AskForPreparedXa();
  Result<Advanced> OnPreparedXa();
  Result<Advanced> ConfirmPreparedXa();
  Result<Advanced> FindBound(ReadTable& table);
  Result<Advanced> ReadChunk(std::size_t table);
  Result<Advanced> FollowToEnd(Waiting waiting);
  Result<Advanced> BeginUnit();
  Result<Advanced> Drain();
  Result<Advanced> OnTableChanged(const binlog::Error& error);
  void AdaptRows();
  void TakeAcknowledged();
  [[nodiscard]] std::size_t CurrentTable() const;

  // The rows of a unit.
  binlog::Result<const binlog::Row*> TakeImage();
  const binlog::Row* MakeRow(std::span<const std::string> key, const binlog::KeyPlace& place);
  binlog::Result<void> LookAtNextImage();

  Result<Advanced> Retry(const binlog::Error& error, const std::string& place = "");
  Result<Advanced> OnLogError(const binlog::Error& error);
  Result<Advanced> OnTablesError(const binlog::Error& error);
  Result<void> RaiseAlarm(const std::string& position, std::string text, std::uint64_t commit_us);

  Parts parts_;
  Options options_;

  // The log, from G1 on.
  bool log_is_open_ = false;
  binlog::StreamIdentity stream_;
  std::optional<binlog::Position> resume_from_;  // None: begin at G1.
  binlog::KnownHistory seen_;  // That the ledger is of; its server is empty: none yet.
  bool is_reopened_ = false;
  bool is_at_begin_ = false;  // Nothing was read behind G1 yet, where the position stays.
  bool must_reset_ = false;  // The reader of transactions does not know of the stream yet.
  std::unique_ptr<binlog::TableFilter> filter_;  // Null: the tables are not described yet.
  std::unique_ptr<binlog::TransactionReader> transactions_;
  std::unique_ptr<binlog::RowReader> rows_;
  bool has_rows_ = false;  // Rows of a transaction are in hand.
  binlog::LogEnd log_end_;
  Waiting waiting_ = Waiting::kNothing;

  // The tables.
  bool tables_are_open_ = false;
  // Without GTIDs the position may cover a transaction that stands in the log, but is not committed
  // yet: locking reads wait for it.
  bool waits_for_commits_ = false;
  std::vector<ReadTable> read_tables_;
  ReadLedger& ledger_;
  ReadChanges changes_;
  bool must_describe_ = true;
  bool loss_was_told_ = false;         // That a DDL statement took rows or a table away.
  bool retry_after_change_ = false;    // A table was not as described, and is described anew.
  std::set<std::string> prepared_xa_;  // At the last question.
  bool xa_may_be_asked_ = false;
  bool xa_is_settled_ = false;
  bool xa_is_confirmed_ = false;  // Asked for once more where that is needed.
  bool xa_was_told_ = false;

  // The chunk in hand, and those handed over.
  std::optional<binlog::Chunk> chunk_;
  std::size_t chunk_table_ = 0;
  std::size_t chunk_rows_;
  std::uint64_t chunk_number_ = 0;
  std::deque<HandedChunk> handed_;

  // The unit in hand.
  std::size_t next_row_ = 0;  // Of the chunk.
  bool has_image_ = false;
  std::string image_place_, image_bytes_;  // The next one.
  std::string given_bytes_;                // Of the one in hand.
  RowImage image_;
  EventPosition event_position_;
  binlog::Row row_{};
  std::vector<binlog::ColumnValue> row_values_;
  std::string row_position_;
  std::uint64_t rows_in_unit_ = 0;
};

}  // namespace outboxd
