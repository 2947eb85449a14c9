#include "daemon/relay/delivery_tracker.h"

#include <algorithm>
#include <utility>

#include "base/invariant.h"

namespace outboxd {

DeliveryTracker::DeliveryTracker(Progress progress, bool keeps_events, const ServerClock* clock)
    : keeps_events_(keeps_events), position_(std::move(progress)), counter_(clock) {}

void DeliveryTracker::Begin(std::uint64_t commit_us) {
  open_events_.Clear();
  counter_.Begin();
  const std::lock_guard lock(mutex_);
  position_.Begin(commit_us);
}

void DeliveryTracker::MarkPart(const TransactionPart& part) {
  std::string line;
  const auto gtid = binlog::FindGtid(part.place);
  if (keeps_events_ && gtid && !open_events_.empty()) {
    line = open_events_.Text(*gtid, part.commit_us);
    open_events_.Clear();
  }
  const std::lock_guard lock(mutex_);
  position_.MarkPart(next_id_, part, line);
}

std::string DeliveryTracker::TakeAnnouncedEvents() {
  const std::lock_guard lock(mutex_);
  return position_.TakeEvents();
}

void DeliveryTracker::Finish(const binlog::Transaction& transaction, bool counts_gtids) {
  const std::string line = LineOf(transaction);
  const std::lock_guard lock(mutex_);
  position_.Finish(next_id_, transaction, counts_gtids, line, counter_.unit());
  Advance();
}

void DeliveryTracker::Pass(const binlog::Transaction& transaction, bool counts_gtids) {
  open_events_.Clear();
  const std::string line = LineOf(transaction);
  const std::lock_guard lock(mutex_);
  position_.Pass(next_id_, transaction, counts_gtids, line);
  Advance();
}

void DeliveryTracker::FinishChunk(std::uint64_t number, TableReadState table) {
  const std::lock_guard lock(mutex_);
  position_.FinishChunk(next_id_, number, std::move(table), counter_.unit());
  Advance();
}

void DeliveryTracker::FinishRead(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  position_.FinishChunk(next_id_, number, std::nullopt, counter_.unit());
  Advance();
}

// The journal's line about the transaction with the events in hand; empty: it needs none.
std::string DeliveryTracker::LineOf(const binlog::Transaction& transaction) const {
  if (!keeps_events_ || !transaction.gtid) return {};
  if (open_events_.empty() && !transaction.prepared_gtid) return {};
  return open_events_.Text(*transaction.gtid, transaction.commit_us, transaction.prepared_gtid);
}

void DeliveryTracker::ReadAnew(const std::string& schema_name, const std::string& table_name) {
  const std::lock_guard lock(mutex_);
  position_.ReadAnew(schema_name, table_name);
}

void DeliveryTracker::ForgetRead(const std::string& schema_name, const std::string& table_name) {
  const std::lock_guard lock(mutex_);
  position_.ForgetRead(schema_name, table_name);
}

void DeliveryTracker::TakeIn(const binlog::Gtid& gtid) {
  const std::lock_guard lock(mutex_);
  position_.TakeIn(gtid);
}

void DeliveryTracker::AddPrepared(const std::string& name) {
  const std::lock_guard lock(mutex_);
  position_.AddPrepared(name);
}

void DeliveryTracker::PassFile(const binlog::Position& position) {
  const std::lock_guard lock(mutex_);
  position_.PassFile(position);
}

void DeliveryTracker::SetServer(const binlog::StreamIdentity& stream) {
  const std::lock_guard lock(mutex_);
  position_.SetServer(stream);
}

void DeliveryTracker::ReachPlace(const binlog::LogEnd& place) {
  const std::lock_guard lock(mutex_);
  position_.ReachPlace(place);
}

void DeliveryTracker::SetSink(const std::string& identity) {
  const std::lock_guard lock(mutex_);
  position_.SetSink(identity);
}

void DeliveryTracker::TakeOut(const binlog::GtidSet& gtids) {
  const std::lock_guard lock(mutex_);
  position_.TakeOut(gtids);
}

void DeliveryTracker::LearnTable(std::string_view schema_name, std::string_view table_name) {
  const std::lock_guard lock(mutex_);
  counter_.TableNumber(schema_name, table_name);
}

void DeliveryTracker::Advance() { position_.AdvanceTo(ids_.first_unacknowledged(), &counter_); }

Progress DeliveryTracker::Restart() {
  const std::lock_guard lock(mutex_);
  ids_.ForgetBefore(next_id_);
  trouble_ = {};
  has_trouble_.store(false, std::memory_order_release);
  return position_.Restart(next_id_);
}

std::string DeliveryTracker::UnwrittenEvents() const {
  const std::lock_guard lock(mutex_);
  return taken_events_ + position_.passed_events() + position_.PendingEvents();
}

const std::string& DeliveryTracker::TakeDeliveredEvents() {
  const std::lock_guard lock(mutex_);
  taken_events_.clear();
  std::swap(taken_events_, position_.passed_events());
  return taken_events_;
}

std::size_t DeliveryTracker::delivered_events_bytes() const {
  const std::lock_guard lock(mutex_);
  return position_.passed_events().size();
}

void DeliveryTracker::ForgetUnacknowledged() {
  const std::lock_guard lock(mutex_);
  ids_.ForgetBefore(next_id_);
}

bool DeliveryTracker::AllAcknowledged() const {
  const std::lock_guard lock(mutex_);
  return ids_.first_unacknowledged() == next_id_;
}

DeliveryTrouble DeliveryTracker::TakeTrouble() {
  const std::lock_guard lock(mutex_);
  has_trouble_.store(false, std::memory_order_release);
  DeliveryTrouble trouble = std::exchange(trouble_, {});
  if (trouble.failed) trouble.messages_to_failed = trouble.failed->id - position_.after() + 1;
  return trouble;
}

void DeliveryTracker::Report(const sinks::DeliveryReports& reports) {
  const std::lock_guard lock(mutex_);
  const sinks::DeliveryId end = next_id_;
  for (const sinks::DeliveryId id : reports.delivered) {
    OUTBOXD_INVARIANT(id < end, "only a message that was handed over is acknowledged");
    ids_.Acknowledge(id);
  }
  if (!reports.delivered.empty()) Advance();
  for (const sinks::FailedDelivery& failed : reports.failed) {
    if (failed.id < ids_.first()) continue;
    if (!trouble_.failed || failed.id < trouble_.failed->id) trouble_.failed = failed;
  }
  if (reports.lost) trouble_.lost = reports.lost;
  if (trouble_.failed || trouble_.lost) has_trouble_.store(true, std::memory_order_release);
}

void DeliveryTracker::Acknowledge(sinks::DeliveryId id) {
  const std::lock_guard lock(mutex_);
  ids_.Acknowledge(id);
  Advance();
}

void DeliveryTracker::Skip() {
  const sinks::DeliveryId id = NextId();
  const std::lock_guard lock(mutex_);
  ++skipped_;
  ids_.Acknowledge(id);
  Advance();
}

void DeliveryTracker::AcknowledgeBefore(sinks::DeliveryId end) {
  const std::lock_guard lock(mutex_);
  for (auto id = ids_.first_unacknowledged(); id < end; ++id) ids_.Acknowledge(id);
  Advance();
}

Progress DeliveryTracker::ProgressAtEnd() const {
  const std::lock_guard lock(mutex_);
  return position_.ProgressAtEnd();
}

Progress DeliveryTracker::progress() const {
  const std::lock_guard lock(mutex_);
  return position_.CurrentProgress();
}

DeliveryStanding DeliveryTracker::standing() const {
  const std::lock_guard lock(mutex_);
  return {.oldest_commit_us = position_.oldest_commit_us(),
          .passed_commit_us = position_.passed_commit_us(),
          .place = position_.acknowledged_place()};
}

DeliveryCounts DeliveryTracker::counts() const {
  const std::lock_guard lock(mutex_);
  return counter_.counts();
}

std::uint64_t DeliveryTracker::progress_version() const {
  const std::lock_guard lock(mutex_);
  return position_.version();
}

std::uint64_t DeliveryTracker::delivered() const {
  const std::lock_guard lock(mutex_);
  return ids_.count() - std::min(skipped_, ids_.count());
}

std::uint64_t DeliveryTracker::skipped() const {
  const std::lock_guard lock(mutex_);
  return skipped_;
}

std::uint64_t DeliveryTracker::in_flight() const {
  const std::lock_guard lock(mutex_);
  return next_id_ - ids_.first_unacknowledged();
}

std::uint64_t DeliveryTracker::acknowledged_chunk() const {
  const std::lock_guard lock(mutex_);
  return position_.acknowledged_chunk();
}

}  // namespace outboxd
