#include "daemon/relay/relay.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

// So that a step stays short even in a unit of millions of rows.
constexpr int kRowsPerStep = 1000;
constexpr milliseconds kRoomCheck{100};
constexpr milliseconds kUnstoredCheck{100};
constexpr milliseconds kDrainCheck{5};

}  // namespace

class Relay::OfferedBoundary final : public sinks::Boundary {
 public:
  // `part`: inside a transaction; none: between two units.
  OfferedBoundary(Relay& relay, bool is_last, std::optional<TransactionPart> part)
      : relay_(relay), is_last_(is_last), part_(std::move(part)) {}

  [[nodiscard]] std::string Checkpoint() const override {
    DeliveryTracker& tracker = relay_.parts_.tracker;
    if (part_) tracker.MarkPart(*part_);
    // Before anything of it can become visible: else a failover might lose what nobody knows of.
    AppendOrTell(relay_.parts_.journal, tracker.TakeAnnouncedEvents());
    relay_.before_ = std::exchange(
        relay_.offered_, {relay_.options_.encode(tracker.ProgressAtEnd()), tracker.end_id()});
    return *relay_.offered_.checkpoint;
  }
  [[nodiscard]] bool is_last() const override { return is_last_; }

 private:
  Relay& relay_;
  const bool is_last_;
  const std::optional<TransactionPart> part_;
};

Relay::Relay(Parts parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      feed_(parts.read != nullptr ? parts.read : &parts.stream),
      rate_limit_(options_.max_rate),
      offered_{parts.sink.checkpoint(), 0} {}

Result<void> Relay::Run() {
  while (true) {
    auto step = ReadStep();
    if (!step) return std::unexpected(step.error());
    TellHeld();
    if (step->kind == Step::Kind::kStopped) return {};
    Wait(*step);
  }
}

void Relay::Wait(const Step& step) {
  if (step.kind == Step::Kind::kGoOn || step.pause <= milliseconds{0}) return;
  parts_.liveness.ExpectAnswerWithin(step.pause);
  if (step.kind == Step::Kind::kFull) {
    parts_.sink.WaitForRoom(step.pause);
    return;
  }
  std::unique_lock lock(mutex_);
  stop_changed_.wait_for(lock, step.pause, [this] { return stop_requested(); });
}

// A lock only where something has changed, or stands still anyway.
void Relay::TellHeld() {
  const auto& held = parts_.publisher.held();
  if (!held && !shows_held_) return;
  const std::lock_guard lock(mutex_);
  held_ = held;
  shows_held_ = held.has_value();
}

void Relay::RequestStop(bool at_once) {
  {
    const std::lock_guard lock(mutex_);
    if (at_once) stop_at_once_.store(true, std::memory_order_release);
    stop_.store(true, std::memory_order_release);
  }
  stop_changed_.notify_all();
  options_.interrupt();
}

std::optional<HeldEvent> Relay::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

Result<Step> Relay::ReadStep() {
  if (parts_.tracker.has_trouble() && !parts_.publisher.is_awaiting()) {
    return stop_requested() ? Step{Step::Kind::kStopped} : OnDeliveryTrouble();
  }
  // A unit that stands still would keep the stop waiting: it is published again next time.
  if (stop_requested() && (!is_publishing_ || !parts_.sink.is_open() || parts_.publisher.held() ||
                           stop_at_once_.load(std::memory_order_acquire))) {
    return Stop();
  }
  if (!parts_.sink.is_open()) {
    if (is_publishing_) CloseStalledSource(false);
    return OpenSink();
  }
  // A refusal of the one message in flight is the publisher's to judge first.
  if (renews_producer_.load(std::memory_order_acquire) && !parts_.tracker.has_trouble()) {
    return CloseDrainedSink();
  }
  if (parts_.outages.CheckpointFailsFor(options_.max_unstored)) {
    return Step{Step::Kind::kPause, kUnstoredCheck};
  }
  if (is_publishing_) return PublishRows();
  const Step step = OfferBoundary(false);
  if (step.kind != Step::Kind::kGoOn || !parts_.sink.is_open()) return step;
  return Advance();
}

Result<Step> Relay::Stop() {
  if (starts_over_) StartOver();  // Nobody waits for what was lost with the producer.
  if (!is_publishing_ && parts_.sink.is_open()) {
    const Step step = OfferBoundary(true);
    if (step.kind != Step::Kind::kGoOn) return step;
  }
  return Step{Step::Kind::kStopped};
}

Result<Step> Relay::OpenSink() {
  renews_producer_.store(false, std::memory_order_relaxed);
  drained_by_.reset();
  auto step = parts_.sink.Open();
  if (!step || !parts_.sink.is_open()) return step;
  parts_.tracker.SetSink(parts_.sink.identity());
  if (parts_.sink.keeps_checkpoints()) {
    if (auto found = FindLastBoundary(); !found) return std::unexpected(found.error());
  }
  if (starts_over_) StartOver();
  return step;
}

// Which of those that were offered became visible before the producer was lost. Of the one before
// nobody may have been told, either.
Result<void> Relay::FindLastBoundary() {
  const auto& kept = parts_.sink.checkpoint();
  const Offered* const found = kept == offered_.checkpoint  ? &offered_
                               : kept == before_.checkpoint ? &before_
                                                            : nullptr;
  if (found != nullptr) {
    parts_.tracker.AcknowledgeBefore(found->end);
  } else if (offered_.checkpoint) {
    return Fail(ExitCode::kOtherActive,
                "the sink keeps a checkpoint that is not this process's: another relay of this "
                "name publishes to it")
        .Hint("let one of them run");
  }
  offered_ = {kept, 0};  // Up to there everything is acknowledged.
  return {};
}

Step Relay::OfferBoundary(bool is_last, std::optional<TransactionPart> part) {
  if (!parts_.sink.keeps_checkpoints()) return Step{};
  auto outcome = parts_.sink.AtBoundary(OfferedBoundary(*this, is_last, std::move(part)));
  if (!outcome) {
    parts_.tracker.Report({.delivered = {}, .failed = {}, .lost = outcome.error()});
    return Step{};
  }
  if (*outcome == sinks::PublishOutcome::kFull) return Step{Step::Kind::kFull, kRoomCheck};
  rows_since_boundary_ = 0;
  return Step{};
}

// Behind a row, where many rows of the unit came since the last one.
Step Relay::OfferBoundaryInside() {
  if (!parts_.sink.keeps_checkpoints()) return Step{};
  if (rows_since_boundary_ < options_.rows_between_boundaries) return Step{};
  auto part = feed_->part();
  return part ? OfferBoundary(false, std::move(part)) : Step{};
}

Result<Step> Relay::Advance() {
  auto advanced = feed_->Advance();
  if (!advanced) return std::unexpected(advanced.error());
  switch (advanced->outcome) {
    case Feed::Outcome::kGoOn:
      break;
    case Feed::Outcome::kUnit:
      is_publishing_ = true;
      row_ = nullptr;
      delivered_rows_ = advanced->delivered_rows;
      moved_at_ = parts_.clock.Now();
      return PublishRows();
    case Feed::Outcome::kStartOver:
      return CloseSink();
    case Feed::Outcome::kComplete:
      feed_ = &parts_.stream;
      feed_->StartOver(parts_.tracker.progress());
      break;
  }
  return advanced->step;
}

Result<Step> Relay::PublishRows() {
  parts_.liveness.ExpectAnswerWithin(2 * parts_.sink.open_timeout());
  bool moved = false;
  for (int i = 0; i < kRowsPerStep; ++i) {
    if (rate_limit_.is_limited()) {
      const milliseconds wait = rate_limit_.Wait(parts_.clock.Now());
      if (wait.count() > 0) return Step{Step::Kind::kPause, wait};
    }
    if (row_ == nullptr) {
      const Step boundary = OfferBoundaryInside();
      if (boundary.kind != Step::Kind::kGoOn || parts_.tracker.has_trouble()) return boundary;
      auto row = feed_->NextRow();
      if (!row) return OnUnitError(row.error());
      if (*row == nullptr) {
        is_publishing_ = false;
        feed_->EndUnit();
        return Step{};
      }
      if (delivered_rows_ > 0) {
        --delivered_rows_;
        continue;
      }
      ++rows_since_boundary_;
      items_ = parts_.publisher.CountEvents(**row);
      if (items_ == 0) continue;
      item_ = 0;
      row_ = *row;
    }
    const std::string_view position =
        parts_.publisher.TakeItem(*row_, feed_->row_position(), item_);
    auto published = parts_.publisher.Publish(*row_, position);
    if (!published) return std::unexpected(published.error());
    if (published->is_done) {
      if (++item_ == items_) row_ = nullptr;
      moved = true;
      if (rate_limit_.is_limited()) rate_limit_.Take(parts_.clock.Now());
    }
    const Step step = published->step;
    if (step.kind != Step::Kind::kGoOn) {
      CloseStalledSource(moved);
      return step;
    }
    // Where a message was refused the sink is closed until it is opened anew.
    if (parts_.tracker.has_trouble() || !parts_.sink.is_open()) return step;
  }
  moved_at_ = parts_.clock.Now();
  return Step{};
}

Result<Step> Relay::OnUnitError(const binlog::Error& error) {
  auto step = feed_->OnUnitError(error);
  if (!step) return step;
  const Step pause = CloseSink();
  return step->kind == Step::Kind::kPause ? *step : pause;
}

// The rows in hand are kept by the feed: the source is not needed for them.
void Relay::CloseStalledSource(bool moved) {
  const auto now = parts_.clock.Now();
  if (moved) moved_at_ = now;
  if (!feed_->source_is_open() || now - moved_at_ < options_.max_stall) return;
  spdlog::warn("nothing could be sent for {} s: the binary log is closed until that changes",
               options_.max_stall.count() / 1000);
  feed_->CloseSource();
}

Result<Step> Relay::OnDeliveryTrouble() {
  const Step step = CloseSink();
  const DeliveryTrouble trouble = parts_.tracker.TakeTrouble();
  parts_.outages.Count(trouble.failed ? &FailureCounts::sink_refused : &FailureCounts::sink_lost);
  if (trouble.failed) {
    spdlog::warn("a message was refused ({}); sending again from the last delivered transaction",
                 trouble.failed->error.message);
  } else if (trouble.lost) {
    const std::string text =
        fmt::format("the producer was lost ({}); sending again from the last delivered transaction",
                    trouble.lost->message);
    spdlog::warn("{}", WithHint(text, trouble.lost->hint));
    if (trouble.lost->kind == sinks::ErrorKind::kClosed) {
      return std::unexpected(trouble.lost->As(ExitCode::kOk));
    }
  }
  careful_messages_ = trouble.messages_to_failed;
  return step;
}

// Everything behind what is delivered for good is read again, as soon as the sink is open again.
Step Relay::CloseSink() {
  parts_.sink.Close();  // No report of this producer comes after it.
  starts_over_ = true;
  return parts_.sink.PauseAfterTrouble(parts_.tracker.delivered());
}

// With nothing in flight the next producer goes on with the row in hand. What a sink that keeps
// checkpoints has in flight will never become visible: there nothing is to be waited for.
Step Relay::CloseDrainedSink() {
  if (!drained_by_) drained_by_ = parts_.clock.Now() + options_.drain_timeout;
  if (parts_.sink.keeps_checkpoints()) return CloseSink();
  if (parts_.tracker.AllAcknowledged()) {
    spdlog::info("sink: a new producer, as the configuration says now");
    parts_.sink.Close();
    return Step{};
  }
  if (parts_.clock.Now() >= *drained_by_) return CloseSink();
  return Step{Step::Kind::kPause, kDrainCheck};
}

void Relay::StartOver() {
  starts_over_ = false;
  feed_->StartOver(parts_.tracker.Restart());
  parts_.publisher.Reset();
  if (careful_messages_) parts_.publisher.BeCareful(*std::exchange(careful_messages_, {}));
  is_publishing_ = false;
  row_ = nullptr;
}

}  // namespace outboxd
