#include "daemon/relay/delivery_tracker.h"

#include <bit>
#include <utility>

namespace outboxd {
namespace {

constexpr std::size_t kRingMin = 1u << 16;

}  // namespace

DeliveryTracker::DeliveryTracker(Progress progress)
    : progress_(std::move(progress)), acknowledged_(kRingMin) {}

void DeliveryTracker::Begin() {
  const std::lock_guard lock(mutex_);
  pending_.emplace_back();
}

void DeliveryTracker::Finish(const binlog::Transaction& transaction, bool by_gtid) {
  const std::lock_guard lock(mutex_);
  Pending& pending = pending_.back();
  pending.end_id = next_id_;
  pending.is_finished = true;
  Merge(pending, transaction, by_gtid);
  Advance();
}

void DeliveryTracker::Pass(const binlog::Transaction& transaction, bool by_gtid) {
  const std::lock_guard lock(mutex_);
  if (pending_.empty()) {
    Pending& pending = pending_.emplace_back();
    pending.end_id = next_id_;
    pending.is_finished = true;
  }
  Merge(pending_.back(), transaction, by_gtid);
  Advance();
}

void DeliveryTracker::FinishTableRead() {
  const std::lock_guard lock(mutex_);
  Pending& pending = pending_.back();
  pending.end_id = next_id_;
  pending.is_finished = true;
  pending.ends_table_read = true;
  pending.file = FileIndex(progress_.position.file);
  pending.offset = progress_.position.offset;
  pending.commit_us = progress_.last_commit_us;
  Advance();
}

void DeliveryTracker::PassFile(const binlog::Position& position) {
  const std::lock_guard lock(mutex_);
  if (pending_.empty()) {
    if (progress_.position.file == position.file) return;
    progress_.position.file = position.file;
    progress_.position.offset = position.offset;
    ++progress_version_;
    return;
  }
  pending_.back().file = FileIndex(position.file);
  pending_.back().offset = position.offset;
}

void DeliveryTracker::Merge(Pending& pending, const binlog::Transaction& transaction,
                            bool by_gtid) {
  pending.file = FileIndex(transaction.file);
  pending.offset = transaction.end_offset;
  pending.commit_us = transaction.commit_us;
  if (!by_gtid || !transaction.gtid) return;
  const binlog::Gtid& gtid = *transaction.gtid;
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

std::uint32_t DeliveryTracker::FileIndex(const std::string& file) {
  if (files_.empty() || files_.back() != file) files_.push_back(file);
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void DeliveryTracker::Advance() {
  while (!pending_.empty() && pending_.front().is_finished &&
         pending_.front().end_id <= first_unacknowledged_) {
    Pending& done = pending_.front();
    if (done.has_gtid) {
      progress_.position.gtids.Add(done.origin, done.numbers);
      if (done.more) progress_.position.gtids.Unite(*done.more);
      progress_.last_gtid =
          binlog::Gtid{.origin = std::move(done.origin), .number = done.numbers.last};
    }
    progress_.position.file = files_[done.file];
    progress_.position.offset = done.offset;
    progress_.last_commit_us = done.commit_us;
    if (done.ends_table_read) progress_.table_read_pending = false;
    after_progress_ = done.end_id;
    ++progress_version_;
    pending_.pop_front();
  }
}

Progress DeliveryTracker::Restart() {
  const std::lock_guard lock(mutex_);
  pending_.clear();
  acknowledged_.assign(acknowledged_.size(), false);
  first_id_ = first_unacknowledged_ = after_progress_ = next_id_;
  trouble_ = {};
  has_trouble_.store(false, std::memory_order_release);
  return progress_;
}

void DeliveryTracker::SetServer(const std::string& server_uuid) {
  const std::lock_guard lock(mutex_);
  if (progress_.server_uuid == server_uuid) return;
  progress_.server_uuid = server_uuid;
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
  return progress_;
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
