#include "daemon/relay/publisher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/service/log.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAcknowledgementCheck{5};
constexpr milliseconds kRoomCheck{100};
// How often a held relay looks whether an operator lets the event pass.
constexpr milliseconds kSkipCheck{500};
constexpr milliseconds kRetryFirst{500};
constexpr milliseconds kRetryMax{30'000};

}  // namespace

Publisher::Publisher(std::vector<OutboxMapping> mappings, sinks::Sink& sink,
                     DeliveryTracker& tracker, StateDirectory* state, const Clock& clock,
                     Options options)
    : mappings_(std::move(mappings)),
      sink_(sink),
      tracker_(tracker),
      state_directory_(state),
      clock_(clock),
      options_(options),
      back_off_(kRetryFirst, kRetryMax, clock.WallMicroseconds()) {}

Result<Step> Publisher::Publish(const binlog::Row& row, std::string_view position, bool* done) {
  *done = false;
  switch (state_) {
    case State::kReady:
      return Send(row, position, done);
    case State::kAwaiting:
      return Await(row, position, done);
    case State::kHolding:
      return Retry(row, position, done);
  }
  return Step{};
}

Result<Step> Publisher::Send(const binlog::Row& row, std::string_view position, bool* done) {
  const bool is_careful = careful_messages_ > 0;
  // What was sent before must be out of the way, so that a failure concerns this message alone.
  if (is_careful && !tracker_.AllAcknowledged()) {
    return Step{Step::Kind::kPause, kAcknowledgementCheck};
  }
  auto message = mappings_[row.table].Map(row, position);
  if (!message) return Hold(row, position, {}, message.error().message, false);
  const sinks::DeliveryId id = tracker_.NextId();
  auto outcome = sink_.Publish(*message, id);
  if (!outcome) {
    tracker_.TakeBack();
    if (outcome.error().kind == sinks::ErrorKind::kUnreachable) {
      const milliseconds pause = back_off_.Next();
      spdlog::warn("cannot publish {} yet, trying again in {} ms: {}", position, pause.count(),
                   outcome.error().message);
      return Step{Step::Kind::kPause, pause};
    }
    if (outcome.error().kind == sinks::ErrorKind::kRejected) {
      return Hold(row, position, message->topic, outcome.error().message, false);
    }
    // The producer as a whole: the relay finds the trouble and starts over.
    tracker_.Report({.delivered = {}, .failed = {}, .lost = outcome.error()});
    return Step{};
  }
  if (*outcome == sinks::PublishOutcome::kFull) {
    tracker_.TakeBack();
    return Step{Step::Kind::kFull, kRoomCheck};
  }
  if (is_careful) {
    state_ = State::kAwaiting;
    return Step{Step::Kind::kPause, kAcknowledgementCheck};
  }
  return Delivered(row, position, done);
}

Result<Step> Publisher::Await(const binlog::Row& row, std::string_view position, bool* done) {
  if (tracker_.AllAcknowledged()) {
    if (careful_messages_ > 0) --careful_messages_;
    return Delivered(row, position, done);
  }
  if (!tracker_.has_trouble()) return Step{Step::Kind::kPause, kAcknowledgementCheck};
  sink_.Close();  // No report of this producer comes after it.
  const DeliveryTrouble trouble = tracker_.TakeTrouble();
  tracker_.ForgetUnacknowledged();
  if (trouble.failed) {
    auto message = mappings_[row.table].Map(row, position);
    return Hold(row, position, message ? message->topic : std::string_view{},
                trouble.failed->error.message, true);
  }
  state_ = State::kHolding;  // Not the event's fault: only a new producer is needed.
  needs_producer_ = true;
  retry_at_ = clock_.Now() + back_off_.Next();
  return PauseUntilRetry();
}

Result<Step> Publisher::Hold(const binlog::Row& row, std::string_view position,
                             std::string_view topic, const std::string& reason,
                             bool producer_is_lost) {
  if (options_.on_bad_event == DeliveryConfig::OnBadEvent::kStop || state_directory_ == nullptr) {
    return Fail(ExitCode::kUndecodable,
                "bad event {} (id {}) of table {}.{}: {} HINT: mend the cause and start again, or"
                " let exactly this event pass with 'outboxd skip {}'",
                position, Escaped(mappings_[row.table].event_id()), row.schema_name, row.table_name,
                reason, position);
  }
  const bool is_new = !held_ || held_->position != position || held_->reason != reason;
  if (is_new) {
    held_ = HeldEvent{.position = std::string(position),
                      .id = std::string(mappings_[row.table].event_id()),
                      .table = fmt::format("{}.{}", row.schema_name, row.table_name),
                      .topic = std::string(topic),
                      .reason = reason,
                      .since_us = clock_.WallMicroseconds()};
    if (auto written = state_directory_->WriteHeld(*held_); !written) {
      return std::unexpected(written.error());
    }
    record_is_own_ = true;
    spdlog::error(
        "holding at event {} (id {}) of table {}: {}; trying again until it can be"
        " delivered; 'outboxd skip {}' lets exactly this event pass",
        position, Escaped(held_->id), held_->table, reason, position);
  }
  state_ = State::kHolding;
  needs_producer_ = producer_is_lost;
  // From now on one by one: what comes behind must not overtake it.
  careful_messages_ = std::max<std::uint64_t>(careful_messages_, 1);
  retry_at_ = clock_.Now() + back_off_.Next();
  return PauseUntilRetry();
}

Step Publisher::PauseUntilRetry() {
  const auto left = std::chrono::ceil<milliseconds>(retry_at_ - clock_.Now());
  return Step{Step::Kind::kPause, std::clamp(left, milliseconds{0}, kSkipCheck)};
}

Result<Step> Publisher::Retry(const binlog::Row& row, std::string_view position, bool* done) {
  if (held_) {
    auto request = state_directory_->ReadSkipRequest();
    if (!request) return std::unexpected(request.error());
    if (*request == position) return LetPass(row, position, done);
  }
  if (clock_.Now() < retry_at_) return PauseUntilRetry();
  if (needs_producer_) {
    auto opened = sink_.Open(options_.open_timeout);
    if (!opened) {
      retry_at_ = clock_.Now() + back_off_.Next();
      spdlog::warn("cannot reach the sink: {}", opened.error().message);
      return PauseUntilRetry();
    }
    needs_producer_ = false;
  }
  state_ = State::kReady;
  return Step{};
}

Result<Step> Publisher::LetPass(const binlog::Row& row, std::string_view position, bool* done) {
  SkippedEvent skipped{.held = *held_, .key = {}, .value = {}};
  if (auto message = mappings_[row.table].Map(row, position)) {
    skipped.key = message->key.value_or("");
    skipped.value = message->value.value_or("");
  }
  if (auto recorded = state_directory_->RecordSkipped(skipped); !recorded) {
    return std::unexpected(recorded.error());
  }
  spdlog::warn("event {} (id {}) was let pass unpublished by an operator; recorded in {}", position,
               Escaped(held_->id), state_directory_->path());
  if (needs_producer_) {
    // Nothing is in flight, so that opening it here loses nothing; a failure shows at the next row.
    needs_producer_ = !sink_.Open(options_.open_timeout).has_value();
  }
  tracker_.Acknowledge(tracker_.NextId());
  return Passed(position, done);
}

Result<Step> Publisher::Delivered(const binlog::Row& row, std::string_view position, bool* done) {
  tracker_.AddEvent(row.schema_name, row.table_name, mappings_[row.table].event_id());
  return Passed(position, done);
}

Result<Step> Publisher::Passed(std::string_view position, bool* done) {
  *done = true;
  state_ = needs_producer_ ? State::kHolding : State::kReady;
  back_off_.Reset();
  // After a replay earlier events come first.
  if (held_ && held_->position != position) return Step{};
  if (held_) spdlog::info("going on behind event {}", held_->position);
  // What an earlier process held at is sent again: nobody waits at it now.
  const bool is_recorded = held_ || (!record_is_own_ && state_directory_ != nullptr);
  held_.reset();
  if (!is_recorded) return Step{};
  record_is_own_ = true;
  if (auto cleared = state_directory_->ClearHeld(); !cleared) {
    return std::unexpected(cleared.error());
  }
  return Step{};
}

void Publisher::Reset() {
  state_ = State::kReady;
  needs_producer_ = false;
}

}  // namespace outboxd
