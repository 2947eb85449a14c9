#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "binlog/gtid_set.h"
#include "binlog/log_end.h"
#include "binlog/position.h"
#include "binlog/transaction.h"
#include "daemon/checkpoint/progress.h"
#include "daemon/relay/delivery_counter.h"
#include "sinks/message.h"

namespace outboxd {

// A place in the log of the server that is read now. All before it is acknowledged, but for
// prepared XA transactions: their events are due with the decision, which stands behind it.
struct AcknowledgedPlace {
  std::size_t host = 0;  // Which of the configured hosts the server is.
  std::string server_uuid;
  std::string file;
  std::uint64_t offset = 0;
  // The file that would be read first after a start from here: that of the oldest of those, else
  // `file`. Empty: not known, as where it was read from a former server.
  std::string needed_file;
};

// Which position the acknowledgements mean. Knows the units of events that were announced, in their
// order, transactions and chunks of an initial read, and moves the progress over a unit when all
// its messages and all before it are acknowledged: always to a boundary. Of the transaction behind
// it a part may stand in the progress, up to a row that was marked. Guarded by DeliveryTracker.
class SafePosition {
 public:
  explicit SafePosition(Progress progress);

  // A unit's messages follow. `commit_us`: when it was committed; 0: not told.
  void Begin(std::uint64_t commit_us) { pending_.emplace_back().begun_commit_us = commit_us; }
  // The unit that was begun is complete. `end_id`: behind its last message. `events`: the journal's
  // line about it. `counts`: of its messages.
  void Finish(sinks::DeliveryId end_id, const binlog::Transaction& transaction, bool counts_gtids,
              const std::string& events, const UnitCounts& counts = {});
  // A transaction without messages. `next_id`: of the next message.
  void Pass(sinks::DeliveryId next_id, const binlog::Transaction& transaction, bool counts_gtids,
            const std::string& events);
  // A chunk is complete. `table`: how far its table is with it; none: the read is at its end.
  void FinishChunk(sinks::DeliveryId end_id, std::uint64_t number,
                   std::optional<TableReadState> table, const UnitCounts& counts = {});

  // So much of the transaction in hand is delivered once all messages before `end_id` are.
  // `events`: the journal's line about what came since the last mark.
  void MarkPart(sinks::DeliveryId end_id, TransactionPart part, const std::string& events);

  // All messages before `first_unacknowledged` are acknowledged. `counter` is told of units that
  // are passed; null: nobody is.
  void AdvanceTo(sinks::DeliveryId first_unacknowledged, DeliveryCounter* counter = nullptr);
  // Forgets the units that are not passed: they will be announced again. `next_id`: of the first
  // message then.
  Progress Restart(sinks::DeliveryId next_id);

  // These do as DeliveryTracker's of the same names.
  void PassFile(const binlog::Position& position);
  void SetServer(const binlog::StreamIdentity& stream);
  void ReachPlace(const binlog::LogEnd& place);
  void SetSink(const std::string& identity);
  void TakeOut(const binlog::GtidSet& gtids);
  void TakeIn(const binlog::Gtid& gtid);
  void AddPrepared(const std::string& name);
  void ReadAnew(const std::string& schema_name, const std::string& table_name);
  void ForgetRead(const std::string& schema_name, const std::string& table_name);

  [[nodiscard]] std::optional<AcknowledgedPlace> acknowledged_place() const;
  [[nodiscard]] Progress CurrentProgress() const;
  // The same once all units are passed.
  [[nodiscard]] Progress ProgressAtEnd() const;
  [[nodiscard]] const std::string& sink() const { return progress_.sink; }
  // Counts the changes of the progress.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // The first message that the progress does not cover.
  [[nodiscard]] sinks::DeliveryId after() const { return after_; }
  [[nodiscard]] std::uint64_t acknowledged_chunk() const { return acknowledged_chunk_; }
  // These two as DeliveryStanding has them.
  [[nodiscard]] std::optional<std::uint64_t> oldest_commit_us() const;
  [[nodiscard]] std::uint64_t passed_commit_us() const { return passed_commit_us_; }

  // The journal's lines of units that were passed, until they are taken.
  [[nodiscard]] std::string& passed_events() { return passed_events_; }
  [[nodiscard]] const std::string& passed_events() const { return passed_events_; }
  // Those of units that are not passed.
  [[nodiscard]] std::string PendingEvents() const;
  // Both, which are not told again.
  [[nodiscard]] std::string TakeEvents();

 private:
  struct XaChange {
    binlog::XaStep step;
    HeldXa xa;
    std::string file;  // Of its GTID event.
    std::uint64_t offset;
    bool counts_gtids;     // And it has one: also of an anonymous log the set, empty, is known.
    std::uint32_t server;  // As server_ counts them.
  };
  // Of a chunk of an initial read.
  struct ChunkEnd {
    std::uint64_t number;
    std::optional<TableReadState> table;  // How far it is with this chunk; none: the read ends.
  };
  struct PartMark {
    sinks::DeliveryId end_id;
    TransactionPart part;
  };
  // One transaction with messages and all those without that came right after it.
  struct Pending {
    sinks::DeliveryId end_id = 0;       // Behind its last message.
    std::uint64_t begun_commit_us = 0;  // Of the transaction with messages; 0: not told.
    bool is_finished = false;
    std::vector<PartMark> marks;            // Those that are not passed, in order.
    bool ends_part = false;                 // It is the one that Progress::part is of.
    std::shared_ptr<const ChunkEnd> chunk;  // Null: it is no chunk.
    bool has_gtid = false;
    binlog::GtidOrigin origin;
    binlog::GtidSet::Interval numbers{};
    binlog::GtidSet more;    // GTIDs that do not continue `numbers`.
    std::uint64_t file = 0;  // Number in files_.
    std::uint64_t offset = 0;
    bool has_last = false;                  // Whether there is a last transaction, of which are
    std::uint64_t commit_us = 0;            // this
    std::optional<binlog::Gtid> last_gtid;  // and this.
    std::vector<XaChange> xa_changes;
    std::string events;  // The journal's lines.
    UnitCounts counts;
  };
  // Where a stream by file has to begin again for one of Progress::held_xa.
  struct HeldPlace {
    std::string file;
    std::uint64_t offset;
    // What was prepared before it and undecided, where the decisions behind it will be read again
    // because no GTIDs tell that they were.
    std::set<std::string> prepared;
    std::uint32_t server;  // As server_ counts them: whose file it is.
  };

  struct ServerFile {
    std::string name;
    std::uint32_t server;  // As server_ counts them.
  };
  struct ServerPlace {
    std::string file;
    std::uint64_t offset = 0;
    std::uint32_t server = 0;  // 0: not known.
  };

  // A transaction or chunk has begun and is not finished.
  [[nodiscard]] bool HasOpenUnit() const {
    return !pending_.empty() && !pending_.back().is_finished;
  }
  void Merge(Pending& pending, const binlog::Transaction& transaction, bool counts_gtids);
  static void AddGtid(Pending& pending, const binlog::Gtid& gtid);
  void ApplyXa(XaChange& change);
  [[nodiscard]] std::set<std::string> UndecidedNames() const;
  void ForgetHeld(const std::string& xid);
  void SetPlace();
  [[nodiscard]] std::string NeededFile() const;
  void PassMarks(Pending& pending, sinks::DeliveryId first_unacknowledged);
  void ApplyChunk(const ChunkEnd& chunk);
  void SetRead(TableReadState state);
  void TakeServer();
  [[nodiscard]] std::uint64_t FileNumber(const std::string& file);

  bool reads_by_gtid_ = false;
  std::string server_uuid_;  // Of the server that is read now ...
  std::size_t host_ = 0;     // ... and which host it is.
  // Its number: each server after another one has the next; 0: none was read from yet.
  std::uint32_t server_ = 0;
  Progress progress_;
  std::uint64_t passed_commit_us_ = 0;  // Since the process began.
  std::uint64_t version_ = 0;
  sinks::DeliveryId after_ = 0;
  std::uint64_t acknowledged_chunk_ = 0;
  std::deque<Pending> pending_;
  std::vector<HeldPlace> held_places_;  // As many as progress_.held_xa.
  std::string done_file_;               // Behind everything done, whatever is held before it.
  std::uint64_t done_offset_ = 0;
  // Up to where all is done: of which server that is no position tells.
  ServerPlace place_;
  // Those of pending_, as they came; the first one has the number first_file_.
  std::deque<ServerFile> files_;
  std::uint64_t first_file_ = 0;
  std::string passed_events_;
};

}  // namespace outboxd
