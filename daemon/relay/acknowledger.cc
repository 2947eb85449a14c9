#include "daemon/relay/acknowledger.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

// Lines that wait for the next checkpoint may take about so much memory.
constexpr std::size_t kJournalBytesMax = std::size_t{1} << 20;

}  // namespace

Acknowledger::Acknowledger(SinkOwner& sink, DeliveryTracker& tracker, CheckpointStore* store,
                           Journal* journal, Outages& outages, const Clock& clock, Options options)
    : sink_(sink),
      tracker_(tracker),
      store_(store),
      journal_(journal),
      outages_(outages),
      clock_(clock),
      options_(std::move(options)),
      silence_(sink.words().receiver, clock, outages),
      next_store_(clock.Now() + options_.interval) {}

void Acknowledger::Step(std::chrono::milliseconds timeout) {
  reports_.Clear();
  sink_.Poll(timeout, reports_);
  if (!reports_.delivered.empty() || !reports_.failed.empty() || reports_.lost) {
    tracker_.Report(reports_);
  }
  if (!reports_.delivered.empty()) silence_.Complains({});
  if (!reports_.complaint.empty()) silence_.Complains(std::move(reports_.complaint));
  NoticeSilence();
  NoteReceiver();
  if (tracker_.delivered_events_bytes() > kJournalBytesMax) WriteJournal();
  const auto now = clock_.Now();
  if (now < next_store_) return;
  next_store_ = now + options_.interval;
  if (auto stored = Store(); !stored) {
    TellUnstored(stored.error());
  } else {
    unstored_times_ = 0;
    outages_.CheckpointIsStored();
  }
}

// Once, and once more when it holds the relay up; how long it lasts is told elsewhere.
void Acknowledger::TellUnstored(const Error& error) {
  outages_.CheckpointFails(error.message);
  ++unstored_times_;
  if (unstored_times_ == 1) {
    spdlog::error("the checkpoint cannot be stored, trying again every {} ms: {}",
                  options_.interval.count(), error.ToText());
  } else if (unstored_times_ == options_.unstored_max + 1) {
    Log(LogLevel::kError, {.notice = Notice::kHoldsForRecord},
        fmt::format("holding: the checkpoint could not be stored for {} ms, and what is published"
                    " now would be published again after a restart: {}",
                    options_.unstored_max * options_.interval.count(), error.ToText()));
  }
}

// A refusal is an answer, too; what follows from it is told elsewhere.
void Acknowledger::NoticeSilence() {
  const bool has_answered =
      !reports_.delivered.empty() || tracker_.has_trouble() || !sink_.is_open();
  if (has_answered) {
    silence_.End();
  } else if (tracker_.AllAcknowledged()) {
    silence_.Rest();
  } else {
    silence_.GoOn();
  }
}

void Acknowledger::NoteReceiver() {
  if (reports_.is_connected) silence_.Connects(*reports_.is_connected);
  const std::lock_guard lock(mutex_);
  if (reports_.round_trip) receiver_.round_trip = reports_.round_trip;
  receiver_.in_flight_bytes = reports_.in_flight_bytes;
  receiver_.in_flight_max = reports_.in_flight_max;
  if (!reports_.delivered.empty()) receiver_.acknowledged_at_us = clock_.WallMicroseconds();
}

ReceiverFacts Acknowledger::receiver() const {
  const std::lock_guard lock(mutex_);
  return receiver_;
}

Result<void> Acknowledger::Store() {
  const std::uint64_t version = tracker_.progress_version();
  if (store_ == nullptr || version == stored_version_) return {};
  const Progress progress = tracker_.progress();
  WriteJournal();
  auto stored = store_->Store(
      MakeCheckpoint(progress, options_.relay, options_.tables, clock_.WallMicroseconds()));
  if (!stored) return stored;
  stored_version_ = version;
  const std::lock_guard lock(mutex_);
  receiver_.stored_at_us = clock_.WallMicroseconds();
  return {};
}

void Acknowledger::WriteJournal() { AppendOrTell(journal_, tracker_.TakeDeliveredEvents()); }

}  // namespace outboxd
