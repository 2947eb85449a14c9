#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/gtid_set.h"
#include "binlog/position.h"
#include "binlog/transaction.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/checkpoint/journal.h"
#include "sinks/error.h"
#include "sinks/sink.h"

namespace outboxd {

// What is delivered for good: the content of the next checkpoint.
struct Progress {
  std::string server_uuid;  // Of the server `position` was read from.
  std::string sink;         // Identity of the cluster the messages went to.
  binlog::Position position;
  // Of the last transaction within `position`: when it was committed; 0: not told.
  std::uint64_t last_commit_us = 0;
  std::optional<binlog::Gtid> last_gtid;  // None: it has none, or those before it are not known.
  bool table_read_pending = false;
  // Names of the XA transactions within `position` that are prepared without event rows. Those with
  // event rows are not within it: their GTIDs are left out, and file and offset wait for them.
  std::set<std::string> prepared = {};
  std::vector<HeldXa> held_xa = {};  // Those with event rows, in the order of the log.
};

// What went wrong with deliveries since the last Restart().
struct DeliveryTrouble {
  std::optional<sinks::FailedDelivery> failed;  // The earliest message that was refused.
  std::optional<sinks::Error> lost;             // The producer is gone.
  // How many messages, the failed one included, come after what is delivered for good.
  std::uint64_t messages_to_failed = 0;
};

// Knows of every message in flight which transaction it belongs to, and moves the progress over a
// transaction when it and all before it are acknowledged: never ahead of an acknowledgement, always
// to a boundary.
//
// The reader thread announces (Begin, NextId, Finish, Pass), the acknowledgement thread reports
// (Report, progress). A lock is taken for each transaction and each batch of reports, none for a
// row.
class DeliveryTracker {
 public:
  // `keeps_events`: whether TakeDeliveredEvents() is called now and then.
  explicit DeliveryTracker(Progress progress, bool keeps_events = false);

  // Reader thread.

  // A transaction's messages follow.
  void Begin();
  // The id of its next message.
  [[nodiscard]] sinks::DeliveryId NextId() {
    const sinks::DeliveryId id = next_id_.load(std::memory_order_relaxed);
    next_id_.store(id + 1, std::memory_order_relaxed);  // Only this thread stores: no lock prefix.
    return id;
  }
  // The sink did not take the message that NextId() was called for last.
  void TakeBack() { next_id_.store(next_id_ - 1, std::memory_order_relaxed); }
  // The event that the message last handed over stands for.
  void AddEvent(std::string_view schema_name, std::string_view table_name, std::string_view id) {
    if (keeps_events_) open_events_.Add(schema_name, table_name, id);
  }
  // All its messages have got an id. `counts_gtids`: whether the set of GTIDs is known.
  void Finish(const binlog::Transaction& transaction, bool counts_gtids);
  // A transaction without messages.
  void Pass(const binlog::Transaction& transaction, bool counts_gtids);
  // The messages of the initial table read have all got an id.
  void FinishTableRead();
  // The place the source has moved to, with nothing between it and the last transaction, and all
  // GTIDs before it, but for transactions that are prepared with event rows.
  void PassFile(const binlog::Position& position);
  // Where positions and messages belong to from now on. `by_gtid`: how the stream is told to begin.
  void SetServer(const std::string& server_uuid, bool by_gtid);
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
  // The journal's lines about the transactions that were passed since the last call; valid until
  // the next. Acknowledgement thread only.
  [[nodiscard]] const std::string& TakeDeliveredEvents();
  [[nodiscard]] std::size_t delivered_events_bytes() const;

  // Any thread.

  // Whether every id that was given out has been acknowledged.
  [[nodiscard]] bool AllAcknowledged() const;
  [[nodiscard]] Progress progress() const;
  // Counts the changes of the progress, so that an unchanged one needs no copy.
  [[nodiscard]] std::uint64_t progress_version() const;
  [[nodiscard]] std::uint64_t delivered() const;

 private:
  struct XaChange {
    binlog::XaStep step;
    HeldXa xa;
    std::string file;  // Of its GTID event.
    std::uint64_t offset;
    bool counts_gtids;  // And it has one: also of an anonymous log the set, empty, is known.
  };
  // One transaction with messages and all those without that came right after it.
  struct Pending {
    sinks::DeliveryId end_id = 0;  // Behind its last message.
    bool is_finished = false;
    bool ends_table_read = false;
    bool has_gtid = false;
    binlog::GtidOrigin origin;
    binlog::GtidSet::Interval numbers{};
    std::unique_ptr<binlog::GtidSet> more;  // GTIDs that do not continue `numbers`.
    std::uint64_t file = 0;                 // Number in files_.
    std::uint64_t offset = 0;
    bool has_last = false;                  // Whether there is a last transaction, of which are
    std::uint64_t commit_us = 0;            // this
    std::optional<binlog::Gtid> last_gtid;  // and this.
    std::vector<XaChange> xa_changes;
    std::string events;  // The journal's lines.
  };
  // Where a stream by file has to begin again for one of Progress::held_xa.
  struct HeldPlace {
    std::string file;
    std::uint64_t offset;
    // What was prepared before it and undecided, where the decisions behind it will be read again
    // because no GTIDs tell that they were.
    std::set<std::string> prepared;
  };

  [[nodiscard]] std::string LineOf(const binlog::Transaction& transaction) const;
  void Merge(Pending& pending, const binlog::Transaction& transaction, bool counts_gtids);
  static void AddGtid(Pending& pending, const binlog::Gtid& gtid);
  void ApplyXa(XaChange& change);
  [[nodiscard]] std::set<std::string> UndecidedNames() const;
  void ForgetHeld(const std::string& xid);
  void SetPlace();
  void TakeServer();
  [[nodiscard]] Progress CurrentProgress() const;
  void SetAcknowledged(sinks::DeliveryId id);
  void Advance();
  [[nodiscard]] std::uint64_t FileNumber(const std::string& file);

  // Constant after construction.
  const bool keeps_events_;

  std::atomic<sinks::DeliveryId> next_id_ = 0;  // Stored by the reader thread only.
  JournalLine open_events_;                     // Reader thread only.

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool reads_by_gtid_ = false;
  std::string server_uuid_;  // Of the server that is read now.
  Progress progress_;
  std::uint64_t progress_version_ = 0;
  std::uint64_t delivered_ = 0;
  sinks::DeliveryId first_id_ = 0;  // Ids below it are forgotten.
  sinks::DeliveryId first_unacknowledged_ = 0;
  sinks::DeliveryId after_progress_ = 0;  // The first id that the progress does not cover.
  std::vector<bool> acknowledged_;        // A ring of bits over the ids in flight.
  std::deque<Pending> pending_;
  std::vector<HeldPlace> held_places_;  // As many as progress_.held_xa.
  std::string done_file_;               // Behind everything done, whatever is held before it.
  std::uint64_t done_offset_ = 0;
  // Those of pending_, as they came; the first one has the number first_file_.
  std::deque<std::string> files_;
  std::uint64_t first_file_ = 0;
  DeliveryTrouble trouble_;
  std::string delivered_events_;
  std::string taken_events_;  // By the acknowledgement thread, which reads it without the mutex.

  std::atomic<bool> has_trouble_ = false;
};

}  // namespace outboxd
