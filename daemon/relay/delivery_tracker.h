#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "binlog/gtid_set.h"
#include "binlog/position.h"
#include "binlog/transaction.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/checkpoint/journal.h"
#include "daemon/relay/acknowledged_ids.h"
#include "daemon/relay/delivery_counter.h"
#include "daemon/relay/safe_position.h"
#include "sinks/error.h"
#include "sinks/sink.h"

namespace outboxd {

// What went wrong with deliveries since the last Restart().
struct DeliveryTrouble {
  std::optional<sinks::FailedDelivery> failed;  // The earliest message that was refused.
  std::optional<sinks::Error> lost;             // The producer is gone.
  // How many messages, the failed one included, come after what is delivered for good.
  std::uint64_t messages_to_failed = 0;
};

// How far the deliveries are, at one moment.
struct DeliveryStanding {
  // When the oldest transaction was committed of which something is announced and not acknowledged;
  // 0: it is not told. None: there is none.
  std::optional<std::uint64_t> oldest_commit_us;
  // When the last one was committed that has been acknowledged, with all before it, since the
  // process began; 0: there is none, or it is not told.
  std::uint64_t passed_commit_us = 0;
  // None: not known, as after a start by GTID, and after a failover, until something of the
  // server's log was read and is acknowledged. In an initial read: where it began.
  std::optional<AcknowledgedPlace> place;
};

// Knows of every message in flight which unit it belongs to, a transaction or a chunk, and moves
// the progress over a unit when it and all before it are acknowledged: never ahead of an
// acknowledgement, always to a boundary. Which ids are acknowledged AcknowledgedIds knows, and
// which position that means SafePosition; here both are made one, and safe for two threads.
//
// The reader thread announces (Begin, NextId, Finish, Pass), the acknowledgement thread reports
// (Report, progress). A lock is taken for each transaction and each batch of reports, none for a
// row.
class DeliveryTracker {
 public:
  // `keeps_events`: whether TakeDeliveredEvents() is called now and then.
  // `clock` is borrowed; null: no latency is counted.
  explicit DeliveryTracker(Progress progress, bool keeps_events = false,
                           const ServerClock* clock = nullptr);

  // Reader thread.

  // A transaction's messages follow. `commit_us`: when it was committed; 0: not told.
  void Begin(std::uint64_t commit_us = 0);
  // The id of its next message.
  [[nodiscard]] sinks::DeliveryId NextId() {
    const sinks::DeliveryId id = next_id_.load(std::memory_order_relaxed);
    next_id_.store(id + 1, std::memory_order_relaxed);  // Only this thread stores: no lock prefix.
    return id;
  }
  // The event in hand needs no message, for an operator lets it pass: it counts as skipped.
  void Skip();
  // The sink did not take the message that NextId() was called for last.
  void TakeBack() { next_id_.store(next_id_ - 1, std::memory_order_relaxed); }
  // The event that the message last handed over stands for.
  void AddEvent(std::string_view schema_name, std::string_view table_name, std::string_view id) {
    if (keeps_events_) open_events_.Add(schema_name, table_name, id);
  }
  // The message last handed over, for the counts. A lock only where its table is not that of the
  // message before.
  void CountMessage(std::string_view schema_name, std::string_view table_name, std::size_t bytes) {
    if (!counter_.IsLastTable(schema_name, table_name)) LearnTable(schema_name, table_name);
    counter_.Count(counter_.last_table(), bytes);
  }
  // So much of it is delivered once the messages that have got an id are.
  void MarkPart(const TransactionPart& part);
  // The journal's lines about what was announced since the last call, to be written before any of
  // it can be delivered: where a sink keeps checkpoints.
  [[nodiscard]] std::string TakeAnnouncedEvents();
  // All its messages have got an id. `counts_gtids`: whether the set of GTIDs is known.
  void Finish(const binlog::Transaction& transaction, bool counts_gtids);
  // A transaction without messages.
  void Pass(const binlog::Transaction& transaction, bool counts_gtids);
  // The messages of one chunk of the initial read have all got an id. `number`: chunks count from
  // 1 on, as long as the process lives.
  void FinishChunk(std::uint64_t number, TableReadState table);
  // The same, and with it the read comes to its end.
  void FinishRead(std::uint64_t number);
  // What is acknowledged of the read of this table does not count any more. Nothing of it is in
  // flight.
  void ReadAnew(const std::string& schema_name, const std::string& table_name);
  // The table is gone: the read does without it.
  void ForgetRead(const std::string& schema_name, const std::string& table_name);
  // A transaction behind the position of which nothing is to be published: from now on the position
  // covers it. Nothing is in flight.
  void TakeIn(const binlog::Gtid& gtid);
  // An XA transaction that was prepared before the position, and is decided without rows.
  void AddPrepared(const std::string& name);
  // The place the source has moved to, with nothing between it and the last transaction, and all
  // GTIDs before it, but for transactions that are prepared with event rows.
  void PassFile(const binlog::Position& position);
  // Where positions and messages belong to from now on.
  void SetServer(const binlog::StreamIdentity& stream);
  // Nothing stands between the last transaction that was announced and this place in the log of
  // that server. It does not move the position: a stream begins at the end of a transaction only.
  void ReachPlace(const binlog::LogEnd& place);
  void SetSink(const std::string& identity);
  // The messages in flight are lost and belong to the open transaction: they will get new ids.
  void ForgetUnacknowledged();
  // Takes transactions out of the position: they are not within it any more, nor will be when the
  // messages in flight are acknowledged.
  void TakeOut(const binlog::GtidSet& gtids);
  // The journal's lines about transactions whose delivery is not certain, or not in the journal.
  [[nodiscard]] std::string UnwrittenEvents() const;
  // Forgets what is in flight: it will be announced again from the progress on. Also forgets the
  // trouble. Reports of forgotten messages are ignored from now on.
  [[nodiscard]] Progress Restart();
  [[nodiscard]] bool has_trouble() const { return has_trouble_.load(std::memory_order_acquire); }
  [[nodiscard]] DeliveryTrouble TakeTrouble();

  // Acknowledgement thread (and the reader for a message that need not be sent).

  void Report(const sinks::DeliveryReports& reports);
  void Acknowledge(sinks::DeliveryId id);
  // All messages before `end`. Either thread.
  void AcknowledgeBefore(sinks::DeliveryId end);
  // The journal's lines about the transactions that were passed since the last call; valid until
  // the next. Acknowledgement thread only.
  [[nodiscard]] const std::string& TakeDeliveredEvents();
  [[nodiscard]] std::size_t delivered_events_bytes() const;

  // Any thread.

  // The progress once everything that was announced is acknowledged.
  [[nodiscard]] Progress ProgressAtEnd() const;
  // Of the next message.
  [[nodiscard]] sinks::DeliveryId end_id() const { return next_id_; }
  // Whether every id that was given out has been acknowledged.
  [[nodiscard]] bool AllAcknowledged() const;
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] DeliveryStanding standing() const;
  [[nodiscard]] DeliveryCounts counts() const;
  // Counts the changes of the progress, so that an unchanged one needs no copy.
  [[nodiscard]] std::uint64_t progress_version() const;
  // Messages that were acknowledged; and events that operators let pass instead.
  [[nodiscard]] std::uint64_t delivered() const;
  [[nodiscard]] std::uint64_t skipped() const;
  // Messages that are on their way.
  [[nodiscard]] std::uint64_t in_flight() const;
  // The last chunk that is acknowledged with all before it; 0: none yet.
  [[nodiscard]] std::uint64_t acknowledged_chunk() const;

 private:
  [[nodiscard]] std::string LineOf(const binlog::Transaction& transaction) const;
  void LearnTable(std::string_view schema_name, std::string_view table_name);
  // Moves the position over what is acknowledged by now.
  void Advance();

  // Constant after construction.
  const bool keeps_events_;

  std::atomic<sinks::DeliveryId> next_id_ = 0;  // Stored by the reader thread only.
  JournalLine open_events_;                     // Reader thread only.

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  AcknowledgedIds ids_;
  SafePosition position_;
  DeliveryTrouble trouble_;
  DeliveryCounter counter_;  // But for what is the reader thread's.
  std::uint64_t skipped_ = 0;
  std::string taken_events_;  // By the acknowledgement thread, which reads it without the mutex.

  std::atomic<bool> has_trouble_ = false;
};

}  // namespace outboxd
