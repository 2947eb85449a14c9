#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "binlog/event_source.h"
#include "binlog/row_reader.h"
#include "binlog/transaction_reader.h"
#include "daemon/relay/change_watch.h"
#include "daemon/relay/event_position.h"
#include "daemon/relay/failover_watch.h"
#include "daemon/relay/feed.h"
#include "daemon/relay/lag_watch.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/source_retry.h"

namespace outboxd {

// The stream of the binary log: a unit is a committed transaction with rows to publish. A lost
// source is opened again behind what was read.
class StreamFeed final : public Feed {
 public:
  struct Parts {  // Borrowed; they outlive the feed.
    binlog::EventSource& source;
    binlog::TransactionReader& transactions;
    binlog::RowReader& rows;
    DeliveryTracker& tracker;
    ChangeWatch& changes;
    FailoverWatch& failovers;
    LagWatch& lag;
    SourceRetry& retry;
    Liveness& liveness;
  };
  struct Options {
    // The longest that opening the source or waiting for its next event may take.
    std::chrono::milliseconds open_timeout{700'000};
    std::chrono::milliseconds read_timeout{700'000};
    // After a transaction with a larger binlog event the source is opened again: the client library
    // keeps the memory of the largest one for as long as the connection lasts.
    std::size_t large_event_bytes = std::size_t{16} << 20;
    std::uint64_t counting = 0;  // Which rows are counted (TransactionPart).
  };

  // Begins behind the tracker's progress.
  StreamFeed(Parts parts, Options options);

  [[nodiscard]] Result<Advanced> Advance() override;
  [[nodiscard]] binlog::Result<const binlog::Row*> NextRow() override;
  [[nodiscard]] Result<Step> OnUnitError(const binlog::Error& error) override;
  [[nodiscard]] std::string_view row_position() const override { return row_position_; }
  [[nodiscard]] std::optional<TransactionPart> part() const override;
  void EndUnit() override;
  void StartOver(const Progress& progress) override;
  void CloseSource() override;
  [[nodiscard]] bool source_is_open() const override { return is_open_; }

 private:
  void BeginBehind(const Progress& progress);
  Result<Advanced> Open();
  Result<bool> OnFailover();
  Result<Advanced> OnTransaction();
  Result<void> EnterPart(const binlog::Transaction& transaction);
  void ForgetPart();
  Result<Advanced> OnUnrecorded(const Error& error);
  void EndTransaction();
  Result<Advanced> OnError(const binlog::Error& error);

  Parts parts_;
  Options options_;

  bool is_open_ = false;
  bool is_at_begin_ = false;      // Nothing was read of the stream yet.
  bool must_observe_ = false;     // The transaction in hand: its alarm could not be recorded yet.
  binlog::Position resume_from_;  // Where it is opened next.
  binlog::StreamIdentity stream_;
  binlog::KnownHistory known_;           // Of resume_from_, or of what was read behind it.
  std::optional<TransactionPart> part_;  // Of a transaction that comes yet, or is in hand.
  bool in_part_ = false;                 // It is the one in hand.
  EventPosition event_position_;
  std::string row_position_;
};

}  // namespace outboxd
