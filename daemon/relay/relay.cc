#include "daemon/relay/relay.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

// So that a step stays short even in a unit of millions of rows.
constexpr int kRowsPerStep = 1000;

}  // namespace

Relay::Relay(Parts parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      feed_(parts.read != nullptr ? parts.read : &parts.stream),
      rate_limit_(options_.max_rate) {}

Result<void> Relay::Run() {
  while (true) {
    auto step = ReadStep();
    if (!step) return std::unexpected(step.error());
    if (step->kind == Step::Kind::kStopped) return {};
    Wait(*step);
  }
}

void Relay::Wait(const Step& step) {
  if (step.kind == Step::Kind::kGoOn || step.pause <= milliseconds{0}) return;
  {
    const std::lock_guard lock(mutex_);
    const auto& held = parts_.publisher.held();
    held_position_ = held ? std::optional(held->position) : std::nullopt;
  }
  parts_.liveness.ExpectAnswerWithin(step.pause);
  if (step.kind == Step::Kind::kFull) {
    parts_.sink.WaitForRoom(step.pause);
    return;
  }
  std::unique_lock lock(mutex_);
  stop_changed_.wait_for(lock, step.pause, [this] { return stop_requested(); });
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

std::optional<std::string> Relay::held_position() const {
  const std::lock_guard lock(mutex_);
  return held_position_;
}

Result<Step> Relay::ReadStep() {
  if (parts_.tracker.has_trouble() && !parts_.publisher.is_awaiting()) {
    return stop_requested() ? Step{Step::Kind::kStopped} : OnDeliveryTrouble();
  }
  // A unit that stands still would keep the stop waiting: it is published again next time.
  if (stop_requested() && (!is_publishing_ || !parts_.sink.is_open() || parts_.publisher.held() ||
                           stop_at_once_.load(std::memory_order_acquire))) {
    return Step{Step::Kind::kStopped};
  }
  if (!parts_.sink.is_open()) {
    if (is_publishing_) CloseStalledSource(false);
    return parts_.sink.Open();
  }
  return is_publishing_ ? PublishRows() : Advance();
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
      moved_at_ = parts_.clock.Now();
      return PublishRows();
    case Feed::Outcome::kStartOver:
      return StartOver();
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
      auto row = feed_->NextRow();
      if (!row && row.error().kind == binlog::ErrorKind::kSpill) {
        spdlog::error("{}; reading it again", row.error().message);
        return StartOver();
      }
      if (!row) return Fail(ExitCodeOf(row.error().kind), "{}", row.error().message);
      if (*row == nullptr) {
        is_publishing_ = false;
        feed_->EndUnit();
        return Step{};
      }
      items_ = parts_.publisher.Begin(**row);
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
  parts_.sink.Close();  // No report of this producer comes after it.
  const DeliveryTrouble trouble = parts_.tracker.TakeTrouble();
  if (trouble.failed) {
    spdlog::warn("a message was refused ({}); sending again from the last delivered transaction",
                 trouble.failed->error.message);
  } else if (trouble.lost) {
    spdlog::warn("the producer was lost ({}); sending again from the last delivered transaction",
                 trouble.lost->message);
    if (trouble.lost->kind == sinks::ErrorKind::kClosed) {
      return Fail(ExitCode::kOk, "{}", trouble.lost->message);
    }
  }
  const Step step = StartOver();
  parts_.publisher.BeCareful(trouble.messages_to_failed);
  return step;
}

// Everything behind what is delivered for good is read again.
Step Relay::StartOver() {
  parts_.sink.Close();  // No report of this producer comes after it.
  feed_->StartOver(parts_.tracker.Restart());
  parts_.publisher.Reset();
  is_publishing_ = false;
  row_ = nullptr;
  return parts_.sink.PauseAfterTrouble();
}

}  // namespace outboxd
