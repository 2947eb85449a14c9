#include "daemon/relay/delivery_tracker.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "daemon/relay/change_watch.h"

namespace outboxd {
namespace {

constexpr std::size_t kRingMin = 1u << 16;

}  // namespace

DeliveryTracker::DeliveryTracker(Progress progress, bool keeps_events)
    : keeps_events_(keeps_events),
      progress_(std::move(progress)),
      acknowledged_(kRingMin),
      done_file_(progress_.position.file),
      done_offset_(progress_.position.offset) {}

void DeliveryTracker::Begin() {
  open_events_.Clear();
  const std::lock_guard lock(mutex_);
  pending_.emplace_back();
}

void DeliveryTracker::Finish(const binlog::Transaction& transaction, bool counts_gtids) {
  std::string line = LineOf(transaction);
  const std::lock_guard lock(mutex_);
  Pending& pending = pending_.back();
  pending.events = std::move(line);
  pending.end_id = next_id_;
  pending.is_finished = true;
  Merge(pending, transaction, counts_gtids);
  Advance();
}

void DeliveryTracker::Pass(const binlog::Transaction& transaction, bool counts_gtids) {
  open_events_.Clear();
  std::string line = LineOf(transaction);
  const std::lock_guard lock(mutex_);
  if (pending_.empty()) {
    Pending& pending = pending_.emplace_back();
    pending.end_id = next_id_;
    pending.is_finished = true;
  }
  pending_.back().events += line;
  Merge(pending_.back(), transaction, counts_gtids);
  Advance();
}

// The journal's line about the transaction with the events in hand; empty: it needs none.
std::string DeliveryTracker::LineOf(const binlog::Transaction& transaction) const {
  if (!keeps_events_ || !transaction.gtid) return {};
  if (open_events_.empty() && !transaction.prepared_gtid) return {};
  return open_events_.Text(*transaction.gtid, transaction.commit_us, transaction.prepared_gtid);
}

void DeliveryTracker::FinishTableRead() {
  const std::lock_guard lock(mutex_);
  Pending& pending = pending_.back();
  pending.end_id = next_id_;
  pending.is_finished = true;
  pending.ends_table_read = true;
  pending.file = FileNumber(progress_.position.file);
  pending.offset = progress_.position.offset;
  Advance();
}

void DeliveryTracker::PassFile(const binlog::Position& position) {
  const std::lock_guard lock(mutex_);
  if (pending_.empty()) {
    progress_.position.gtids.Unite(position.gtids);
    done_file_ = position.file;
    done_offset_ = position.offset;
    SetPlace();
    ++progress_version_;
    return;
  }
  Pending& pending = pending_.back();
  pending.file = FileNumber(position.file);
  pending.offset = position.offset;
  if (position.gtids.empty()) return;
  if (!pending.more) pending.more = std::make_unique<binlog::GtidSet>();
  pending.more->Unite(position.gtids);
}

void DeliveryTracker::Merge(Pending& pending, const binlog::Transaction& transaction,
                            bool counts_gtids) {
  using binlog::XaStep;
  pending.file = FileNumber(transaction.file);
  pending.offset = transaction.end_offset;
  if (transaction.xa != XaStep::kNone) {
    pending.xa_changes.push_back({transaction.xa,
                                  {transaction.xid, PlaceOf(transaction), transaction.commit_us},
                                  transaction.file,
                                  transaction.begin_offset,
                                  counts_gtids && transaction.gtid.has_value()});
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

void DeliveryTracker::AddGtid(Pending& pending, const binlog::Gtid& gtid) {
  if (!pending.has_gtid) {
    pending.has_gtid = true;
    pending.origin = gtid.origin;
    pending.numbers = {gtid.number, gtid.number};
  } else if (pending.numbers.last + 1 == gtid.number && pending.origin == gtid.origin) {
    pending.numbers.last = gtid.number;
  } else {
    if (!pending.more) pending.more = std::make_unique<binlog::GtidSet>();
    pending.more->Add(gtid);
  }
}

void DeliveryTracker::ApplyXa(XaChange& change) {
  switch (change.step) {
    case binlog::XaStep::kHeld:
      held_places_.push_back({std::move(change.file), change.offset,
                              change.counts_gtids ? std::set<std::string>() : UndecidedNames()});
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

std::set<std::string> DeliveryTracker::UndecidedNames() const {
  std::set<std::string> names = progress_.prepared;
  for (const HeldXa& held : progress_.held_xa) names.insert(held.xid);
  return names;
}

void DeliveryTracker::ForgetHeld(const std::string& xid) {
  const auto held = std::ranges::find(progress_.held_xa, xid, &HeldXa::xid);
  if (held == progress_.held_xa.end()) return;
  held_places_.erase(held_places_.begin() + (held - progress_.held_xa.begin()));
  progress_.held_xa.erase(held);
}

void DeliveryTracker::SetPlace() {
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

Progress DeliveryTracker::CurrentProgress() const {
  Progress progress = progress_;
  if (!held_places_.empty()) {
    const std::set<std::string>& before = held_places_.front().prepared;
    progress.prepared.insert(before.begin(), before.end());
  }
  return progress;
}

std::uint64_t DeliveryTracker::FileNumber(const std::string& file) {
  if (files_.empty() || files_.back() != file) files_.push_back(file);
  return first_file_ + files_.size() - 1;
}

void DeliveryTracker::Advance() {
  while (!pending_.empty() && pending_.front().is_finished &&
         pending_.front().end_id <= first_unacknowledged_) {
    Pending& done = pending_.front();
    if (done.has_gtid) progress_.position.gtids.Add(done.origin, done.numbers);
    if (done.more) progress_.position.gtids.Unite(*done.more);
    if (done.has_last) {
      progress_.last_gtid = std::move(done.last_gtid);
      progress_.last_commit_us = done.commit_us;
    }
    delivered_events_ += done.events;
    for (XaChange& change : done.xa_changes) ApplyXa(change);
    for (; first_file_ < done.file; ++first_file_) files_.pop_front();
    done_file_ = files_.front();
    done_offset_ = done.offset;
    SetPlace();
    TakeServer();
    if (done.ends_table_read) progress_.table_read_pending = false;
    after_progress_ = done.end_id;
    ++progress_version_;
    pending_.pop_front();
  }
}

Progress DeliveryTracker::Restart() {
  const std::lock_guard lock(mutex_);
  progress_ = CurrentProgress();
  pending_.clear();
  progress_.held_xa.clear();
  held_places_.clear();
  done_file_ = progress_.position.file;
  done_offset_ = progress_.position.offset;
  acknowledged_.assign(acknowledged_.size(), false);
  first_id_ = first_unacknowledged_ = after_progress_ = next_id_;
  trouble_ = {};
  has_trouble_.store(false, std::memory_order_release);
  return progress_;
}

void DeliveryTracker::TakeOut(const binlog::GtidSet& gtids) {
  const std::lock_guard lock(mutex_);
  const auto forget = [&gtids](std::optional<binlog::Gtid>& last) {
    if (last && gtids.Contains(*last)) last.reset();
  };
  progress_.position.TakeOut(gtids);
  forget(progress_.last_gtid);
  for (Pending& pending : pending_) {
    binlog::GtidSet all;
    if (pending.has_gtid) all.Add(pending.origin, pending.numbers);
    if (pending.more) all.Unite(*pending.more);
    pending.has_gtid = false;
    pending.more = std::make_unique<binlog::GtidSet>(all.Minus(gtids));
    forget(pending.last_gtid);
  }
  ++progress_version_;
}

std::string DeliveryTracker::UnwrittenEvents() const {
  const std::lock_guard lock(mutex_);
  std::string lines = taken_events_ + delivered_events_;
  for (const Pending& pending : pending_) lines += pending.events;
  return lines;
}

const std::string& DeliveryTracker::TakeDeliveredEvents() {
  const std::lock_guard lock(mutex_);
  taken_events_.clear();
  std::swap(taken_events_, delivered_events_);
  return taken_events_;
}

std::size_t DeliveryTracker::delivered_events_bytes() const {
  const std::lock_guard lock(mutex_);
  return delivered_events_.size();
}

void DeliveryTracker::SetServer(const std::string& server_uuid, bool by_gtid) {
  const std::lock_guard lock(mutex_);
  reads_by_gtid_ = by_gtid;
  server_uuid_ = server_uuid;
  TakeServer();
}

// A place by file belongs to the server it was read from, whatever server took over since: there
// the same file and offset are another place.
void DeliveryTracker::TakeServer() {
  const bool is_by_file = progress_.position.gtids.empty() && !progress_.position.file.empty();
  if (is_by_file && !progress_.server_uuid.empty()) return;
  if (server_uuid_.empty() || progress_.server_uuid == server_uuid_) return;
  progress_.server_uuid = server_uuid_;
  ++progress_version_;
}

void DeliveryTracker::SetSink(const std::string& identity) {
  const std::lock_guard lock(mutex_);
  if (progress_.sink == identity) return;
  progress_.sink = identity;
  ++progress_version_;
}

void DeliveryTracker::ForgetUnacknowledged() {
  const std::lock_guard lock(mutex_);
  acknowledged_.assign(acknowledged_.size(), false);
  first_id_ = first_unacknowledged_ = next_id_;
}

bool DeliveryTracker::AllAcknowledged() const {
  const std::lock_guard lock(mutex_);
  return first_unacknowledged_ == next_id_;
}

DeliveryTrouble DeliveryTracker::TakeTrouble() {
  const std::lock_guard lock(mutex_);
  has_trouble_.store(false, std::memory_order_release);
  DeliveryTrouble trouble = std::exchange(trouble_, {});
  if (trouble.failed) trouble.messages_to_failed = trouble.failed->id - after_progress_ + 1;
  return trouble;
}

void DeliveryTracker::Report(const sinks::DeliveryReports& reports) {
  const std::lock_guard lock(mutex_);
  for (const sinks::DeliveryId id : reports.delivered) SetAcknowledged(id);
  if (!reports.delivered.empty()) Advance();
  for (const sinks::FailedDelivery& failed : reports.failed) {
    if (failed.id < first_id_) continue;
    if (!trouble_.failed || failed.id < trouble_.failed->id) trouble_.failed = failed;
  }
  if (reports.lost) trouble_.lost = reports.lost;
  if (trouble_.failed || trouble_.lost) has_trouble_.store(true, std::memory_order_release);
}

void DeliveryTracker::Acknowledge(sinks::DeliveryId id) {
  const std::lock_guard lock(mutex_);
  SetAcknowledged(id);
  Advance();
}

void DeliveryTracker::SetAcknowledged(sinks::DeliveryId id) {
  if (id < first_unacknowledged_) return;  // Forgotten by Restart(), or reported before.
  if (id - first_unacknowledged_ >= acknowledged_.size()) {
    std::vector<bool> larger(std::bit_ceil(id - first_unacknowledged_ + 1));
    for (sinks::DeliveryId i = 0; i < acknowledged_.size(); ++i) {
      const sinks::DeliveryId old = first_unacknowledged_ + i;
      larger[old % larger.size()] = acknowledged_[old % acknowledged_.size()];
    }
    acknowledged_ = std::move(larger);
  }
  acknowledged_[id % acknowledged_.size()] = true;
  while (acknowledged_[first_unacknowledged_ % acknowledged_.size()]) {
    acknowledged_[first_unacknowledged_ % acknowledged_.size()] = false;
    ++first_unacknowledged_;
    ++delivered_;
  }
}

Progress DeliveryTracker::progress() const {
  const std::lock_guard lock(mutex_);
  return CurrentProgress();
}

std::uint64_t DeliveryTracker::progress_version() const {
  const std::lock_guard lock(mutex_);
  return progress_version_;
}

std::uint64_t DeliveryTracker::delivered() const {
  const std::lock_guard lock(mutex_);
  return delivered_;
}

}  // namespace outboxd
