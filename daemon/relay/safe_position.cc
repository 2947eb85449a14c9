#include "daemon/relay/safe_position.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/invariant.h"
#include "daemon/relay/change_watch.h"

namespace outboxd {

SafePosition::SafePosition(Progress progress)
    : progress_(std::move(progress)),
      done_file_(progress_.position.file),
      done_offset_(progress_.position.offset),
      place_{.file = done_file_, .offset = done_offset_} {}

void SafePosition::Finish(sinks::DeliveryId end_id, const binlog::Transaction& transaction,
                          bool counts_gtids, const std::string& events, const UnitCounts& counts) {
  OUTBOXD_INVARIANT(HasOpenUnit(), "a transaction begins before it is finished");
  Pending& pending = pending_.back();
  pending.counts = counts;
  pending.events += events;
  pending.end_id = end_id;
  pending.is_finished = true;
  Merge(pending, transaction, counts_gtids);
}

void SafePosition::Pass(sinks::DeliveryId next_id, const binlog::Transaction& transaction,
                        bool counts_gtids, const std::string& events) {
  if (pending_.empty()) {
    Pending& pending = pending_.emplace_back();
    pending.end_id = next_id;
    pending.is_finished = true;
  }
  pending_.back().events += events;
  Merge(pending_.back(), transaction, counts_gtids);
}

// The position stays where the read began.
void SafePosition::FinishChunk(sinks::DeliveryId end_id, std::uint64_t number,
                               std::optional<TableReadState> table, const UnitCounts& counts) {
  OUTBOXD_INVARIANT(HasOpenUnit(), "a chunk begins before it is finished");
  Pending& pending = pending_.back();
  pending.counts = counts;
  pending.end_id = end_id;
  pending.is_finished = true;
  pending.chunk = std::make_shared<ChunkEnd>(number, std::move(table));
  pending.file = FileNumber(progress_.position.file);
  pending.offset = progress_.position.offset;
}

void SafePosition::PassFile(const binlog::Position& position) {
  if (pending_.empty()) {
    progress_.position.gtids.Unite(position.gtids);
    done_file_ = position.file;
    done_offset_ = position.offset;
    place_ = {position.file, position.offset, server_};
    SetPlace();
    ++version_;
    return;
  }
  Pending& pending = pending_.back();
  pending.file = FileNumber(position.file);
  pending.offset = position.offset;
  if (position.gtids.empty()) return;
  pending.more.Unite(position.gtids);
}

void SafePosition::Merge(Pending& pending, const binlog::Transaction& transaction,
                         bool counts_gtids) {
  using binlog::XaStep;
  pending.file = FileNumber(transaction.file);
  pending.offset = transaction.end_offset;
  if (progress_.part && progress_.part->place == PlaceOf(transaction)) pending.ends_part = true;
  if (transaction.xa != XaStep::kNone) {
    pending.xa_changes.push_back({transaction.xa,
                                  {transaction.xid, PlaceOf(transaction), transaction.commit_us},
                                  transaction.file,
                                  transaction.begin_offset,
                                  counts_gtids && transaction.gtid.has_value(),
                                  server_});
  }
  if (transaction.xa == XaStep::kHeld) return;  // Done with its decision.
  pending.has_last = true;
  pending.commit_us = transaction.commit_us;
  pending.last_gtid.reset();
  if (!counts_gtids) return;
  if (transaction.prepared_gtid) AddGtid(pending, *transaction.prepared_gtid);
  if (!transaction.gtid) return;
  AddGtid(pending, *transaction.gtid);
  pending.last_gtid = transaction.gtid;
}

void SafePosition::AddGtid(Pending& pending, const binlog::Gtid& gtid) {
  if (!pending.has_gtid) {
    pending.has_gtid = true;
    pending.origin = gtid.origin;
    pending.numbers = {gtid.number, gtid.number};
  } else if (pending.numbers.last + 1 == gtid.number && pending.origin == gtid.origin) {
    pending.numbers.last = gtid.number;
  } else {
    pending.more.Add(gtid);
  }
}

void SafePosition::ApplyXa(XaChange& change) {
  switch (change.step) {
    case binlog::XaStep::kHeld:
      held_places_.push_back({std::move(change.file), change.offset,
                              change.counts_gtids ? std::set<std::string>() : UndecidedNames(),
                              change.server});
      progress_.held_xa.push_back(std::move(change.xa));
      break;
    case binlog::XaStep::kPrepared:
      progress_.prepared.insert(std::move(change.xa.xid));
      break;
    case binlog::XaStep::kCommitted:
    case binlog::XaStep::kRolledBack:
      progress_.prepared.erase(change.xa.xid);
      ForgetHeld(change.xa.xid);
      break;
    case binlog::XaStep::kNone:
      break;
  }
}

std::set<std::string> SafePosition::UndecidedNames() const {
  std::set<std::string> names = progress_.prepared;
  for (const HeldXa& held : progress_.held_xa) names.insert(held.xid);
  return names;
}

void SafePosition::ForgetHeld(const std::string& xid) {
  const auto held = std::ranges::find(progress_.held_xa, xid, &HeldXa::xid);
  if (held == progress_.held_xa.end()) return;
  held_places_.erase(held_places_.begin() + (held - progress_.held_xa.begin()));
  progress_.held_xa.erase(held);
}

void SafePosition::SetPlace() {
  // A set that is still empty, because all so far is held, must not be taken for a position by
  // file: another server has other files.
  if (reads_by_gtid_ && progress_.position.gtids.empty()) return;
  if (held_places_.empty()) {
    progress_.position.file = done_file_;
    progress_.position.offset = done_offset_;
  } else {
    progress_.position.file = held_places_.front().file;
    progress_.position.offset = held_places_.front().offset;
  }
}

Progress SafePosition::CurrentProgress() const {
  Progress progress = progress_;
  if (!held_places_.empty()) {
    const std::set<std::string>& before = held_places_.front().prepared;
    progress.prepared.insert(before.begin(), before.end());
  }
  return progress;
}

Progress SafePosition::ProgressAtEnd() const {
  SafePosition end = *this;
  end.AdvanceTo(std::numeric_limits<sinks::DeliveryId>::max());
  return end.CurrentProgress();
}

std::uint64_t SafePosition::FileNumber(const std::string& file) {
  if (files_.empty() || files_.back().server != server_ || files_.back().name != file) {
    files_.push_back({file, server_});
  }
  return first_file_ + files_.size() - 1;
}

void SafePosition::MarkPart(sinks::DeliveryId end_id, TransactionPart part,
                            const std::string& events) {
  OUTBOXD_INVARIANT(HasOpenUnit(), "a transaction begins before a part of it is done");
  pending_.back().marks.push_back({end_id, std::move(part)});
  pending_.back().events += events;
  pending_.back().ends_part = true;
}

void SafePosition::PassMarks(Pending& pending, sinks::DeliveryId first_unacknowledged) {
  const auto behind = std::ranges::find_if(
      pending.marks, [=](const PartMark& mark) { return mark.end_id > first_unacknowledged; });
  if (behind == pending.marks.begin()) return;
  PartMark& last = *std::prev(behind);
  after_ = last.end_id;
  progress_.part = std::move(last.part);
  pending.marks.erase(pending.marks.begin(), behind);
  ++version_;
}

void SafePosition::AdvanceTo(sinks::DeliveryId first_unacknowledged, DeliveryCounter* counter) {
  while (!pending_.empty() && pending_.front().is_finished &&
         pending_.front().end_id <= first_unacknowledged) {
    Pending& done = pending_.front();
    if (counter != nullptr) counter->Pass(done.counts, done.begun_commit_us);
    if (done.has_gtid) progress_.position.gtids.Add(done.origin, done.numbers);
    if (!done.more.empty()) progress_.position.gtids.Unite(done.more);
    if (done.has_last) {
      progress_.last_gtid = std::move(done.last_gtid);
      progress_.last_commit_us = done.commit_us;
      passed_commit_us_ = done.commit_us;
    }
    passed_events_ += done.events;
    for (XaChange& change : done.xa_changes) ApplyXa(change);
    for (; first_file_ < done.file; ++first_file_) files_.pop_front();
    done_file_ = files_.front().name;
    done_offset_ = done.offset;
    if (!done.chunk) place_ = {done_file_, done_offset_, files_.front().server};
    SetPlace();
    TakeServer();
    if (done.chunk) ApplyChunk(*done.chunk);
    if (done.ends_part) progress_.part.reset();
    after_ = done.end_id;
    ++version_;
    pending_.pop_front();
  }
  if (!pending_.empty()) PassMarks(pending_.front(), first_unacknowledged);
}

void SafePosition::ApplyChunk(const ChunkEnd& chunk) {
  acknowledged_chunk_ = chunk.number;
  if (!progress_.read) return;
  if (!chunk.table) {
    progress_.read.reset();
    return;
  }
  SetRead(*chunk.table);
}

void SafePosition::SetRead(TableReadState state) {
  auto& tables = progress_.read->tables;
  const auto known = std::ranges::find_if(tables, [&state](const TableReadState& table) {
    return table.schema_name == state.schema_name && table.table_name == state.table_name;
  });
  if (known == tables.end()) {
    tables.push_back(std::move(state));
  } else {
    *known = std::move(state);
  }
}

Progress SafePosition::Restart(sinks::DeliveryId next_id) {
  progress_ = CurrentProgress();
  pending_.clear();
  progress_.held_xa.clear();
  // They will be read again, in front of the place.
  if (!held_places_.empty()) place_ = {};
  held_places_.clear();
  done_file_ = progress_.position.file;
  done_offset_ = progress_.position.offset;
  after_ = next_id;
  return progress_;
}

void SafePosition::TakeOut(const binlog::GtidSet& gtids) {
  const auto forget = [&gtids](std::optional<binlog::Gtid>& last) {
    if (last && gtids.Contains(*last)) last.reset();
  };
  progress_.position.TakeOut(gtids);
  forget(progress_.last_gtid);
  const auto begun = HistoryOf(progress_).begun;
  if (begun && gtids.Contains(*begun)) progress_.part.reset();
  for (Pending& pending : pending_) {
    binlog::GtidSet all;
    if (pending.has_gtid) all.Add(pending.origin, pending.numbers);
    all.Unite(pending.more);
    pending.has_gtid = false;
    pending.more = all.Minus(gtids);
    forget(pending.last_gtid);
  }
  ++version_;
}

void SafePosition::SetServer(const binlog::StreamIdentity& stream) {
  reads_by_gtid_ = stream.by_gtid;
  if (server_uuid_ != stream.server_uuid) {
    // A first stream by file begins at this very place; by GTID it may be one of another server.
    if (++server_ == 1 && !stream.by_gtid) place_.server = server_;
    server_uuid_ = stream.server_uuid;
  }
  host_ = stream.host;
  TakeServer();
}

// Behind what is pending the place follows from that. Within a file it does not go back: while the
// server skips in a stream that was opened anew, it tells of places that were reached before.
void SafePosition::ReachPlace(const binlog::LogEnd& place) {
  if (!pending_.empty()) return;
  const bool is_same_file = place_.server == server_ && place_.file == place.file;
  if (is_same_file && place.offset < place_.offset) return;
  place_ = {place.file, place.offset, server_};
}

std::optional<AcknowledgedPlace> SafePosition::acknowledged_place() const {
  if (place_.server == 0 || place_.server != server_ || place_.file.empty()) return std::nullopt;
  return AcknowledgedPlace{.host = host_,
                           .server_uuid = server_uuid_,
                           .file = place_.file,
                           .offset = place_.offset,
                           .needed_file = NeededFile()};
}

// What was read from a former server stands in another file here.
std::string SafePosition::NeededFile() const {
  if (held_places_.empty()) return place_.file;
  const HeldPlace& oldest = held_places_.front();
  return oldest.server == server_ ? oldest.file : std::string();
}

// A place by file belongs to the server it was read from, whatever server took over since: there
// the same file and offset are another place.
void SafePosition::TakeServer() {
  const bool is_by_file = progress_.position.gtids.empty() && !progress_.position.file.empty();
  if (is_by_file && !progress_.server_uuid.empty()) return;
  if (server_uuid_.empty() || progress_.server_uuid == server_uuid_) return;
  progress_.server_uuid = server_uuid_;
  ++version_;
}

void SafePosition::SetSink(const std::string& identity) {
  if (progress_.sink == identity) return;
  progress_.sink = identity;
  ++version_;
}

void SafePosition::ReadAnew(const std::string& schema_name, const std::string& table_name) {
  if (!progress_.read) return;
  SetRead({.schema_name = schema_name, .table_name = table_name});
  ++version_;
}

void SafePosition::ForgetRead(const std::string& schema_name, const std::string& table_name) {
  if (!progress_.read) return;
  const auto forgotten = std::erase_if(progress_.read->tables, [&](const TableReadState& table) {
    return table.schema_name == schema_name && table.table_name == table_name;
  });
  if (forgotten > 0) ++version_;
}

void SafePosition::TakeIn(const binlog::Gtid& gtid) {
  progress_.position.gtids.Add(gtid);
  ++version_;
}

void SafePosition::AddPrepared(const std::string& name) {
  if (progress_.prepared.insert(name).second) ++version_;
}

std::optional<std::uint64_t> SafePosition::oldest_commit_us() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.front().begun_commit_us;
}

std::string SafePosition::PendingEvents() const {
  std::string lines;
  for (const Pending& pending : pending_) lines += pending.events;
  return lines;
}

std::string SafePosition::TakeEvents() {
  std::string lines = passed_events_ + PendingEvents();
  passed_events_.clear();
  for (Pending& pending : pending_) pending.events.clear();
  return lines;
}

}  // namespace outboxd
