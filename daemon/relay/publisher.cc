#include "daemon/relay/publisher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/escaped.h"
#include "daemon/checkpoint/dead_letter_log.h"
#include "daemon/relay/event_fields.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAcknowledgementCheck{5};
constexpr milliseconds kRoomCheck{100};
// How often a held relay looks whether an operator lets the event pass.
constexpr milliseconds kSkipCheck{500};
constexpr milliseconds kRetryFirst{500};
constexpr milliseconds kRetryMax{30'000};
constexpr std::size_t kDeadLetteredMax = 10'000;

}  // namespace

Publisher::Publisher(std::vector<OutboxMapping> mappings, SinkOwner& sink, DeliveryTracker& tracker,
                     StateDirectory* state, Outages& outages, const Clock& clock, Options options)
    : mappings_(std::move(mappings)),
      sink_(sink),
      tracker_(tracker),
      state_directory_(state),
      outages_(outages),
      clock_(clock),
      options_(std::move(options)),
      dead_letter_(options_.dead_letter_topic),
      back_off_(kRetryFirst, kRetryMax, clock.WallMicroseconds()) {
  if (state == nullptr) return;
  if (auto passed = state->ReadPassed()) {
    passed_.insert(passed->begin(), passed->end());
  } else {
    spdlog::error("events that operators dropped are held at again: {}", passed.error().ToText());
  }
}

std::size_t Publisher::CountEvents(const binlog::Row& row) {
  const std::size_t events = mappings_[row.selection].Begin(row);
  if (events == 0) unselected_.fetch_add(1, std::memory_order_relaxed);
  return events;
}

std::string_view Publisher::TakeItem(const binlog::Row& row, std::string_view row_position,
                                     std::size_t item) {
  OutboxMapping& mapping = mappings_[row.selection];
  if (!mapping.makes_lists()) return row_position;
  mapping.TakeItem(item);
  item_position_ = fmt::format("{}.{}", row_position, item + 1);
  return item_position_;
}

Result<Publisher::Published> Publisher::Publish(const binlog::Row& row, std::string_view position) {
  switch (state_) {
    case State::kReady:
      return Send(row, position);
    case State::kAwaiting:
      return Await(row, position);
    case State::kHolding:
      return Retry(row, position);
  }
  return Published{};
}

Result<Publisher::Published> Publisher::Send(const binlog::Row& row, std::string_view position) {
  const bool is_careful = careful_messages_ > 0;
  // What was sent before must be out of the way, so that a failure concerns this message alone.
  if (is_careful && !tracker_.AllAcknowledged()) {
    return Published{.step = {Step::Kind::kPause, kAcknowledgementCheck}};
  }
  if (passed_.contains(position)) return PassAgain(position);
  auto message = mappings_[row.selection].Map(row, position);
  if (!message) {
    const std::string_view what = SendsDeadLetters() ? "no dead letter can be made: " : "";
    const Error& error = message.error();
    return Hold(BadEvent(row, position, {}, fmt::format("{}{}", what, error.message), error.hint));
  }
  message_bytes_ = message->key.value_or("").size() + message->value.value_or("").size();
  if (options_.on_mapped) options_.on_mapped(mappings_[row.selection], position, *message);
  if (dead_lettered_.contains(position)) {
    tracker_.Acknowledge(tracker_.NextId());
    if (is_careful) --careful_messages_;
    return CountHandedOver(row, position);
  }
  const std::string& own_topic = dead_letter_.topic();
  if (!dead_ && !own_topic.empty() && message->topic == own_topic) {
    is_refused_by_receiver_ = false;
    return Refused(
        BadEvent(row, position, own_topic,
                 fmt::format("topic {} is for dead letters, not for events", own_topic)));
  }
  return HandOver(row, position, *message);
}

// The sink has said something else than that it cannot be reached.
void Publisher::EndOutage() {
  if (std::exchange(is_unreachable_, false)) outages_.SinkAnswers();
}

Result<Publisher::Published> Publisher::HandOver(const binlog::Row& row, std::string_view position,
                                                 const sinks::Message& message) {
  const sinks::DeliveryId id = tracker_.NextId();
  auto outcome = sink_.Publish(dead_ ? dead_letter_.Make(message, *dead_) : message, id);
  if (!outcome) {
    tracker_.TakeBack();
    if (outcome.error().kind == sinks::ErrorKind::kUnreachable) {
      const milliseconds pause = back_off_.Next();
      is_unreachable_ = true;
      outages_.SinkFails(outcome.error().message);
      Log(LogLevel::kWarning, {.notice = Notice::kSinkAway, .position = position},
          fmt::format("cannot publish {} yet, trying again in {} ms: {}", position, pause.count(),
                      outcome.error().ToText()));
      return Published{.step = {Step::Kind::kPause, pause}};
    }
    EndOutage();
    is_refused_by_receiver_ = false;
    if (outcome.error().kind == sinks::ErrorKind::kRejected) {
      return Refused(
          BadEvent(row, position, message.topic, outcome.error().message, outcome.error().hint));
    }
    // The producer as a whole: the relay finds the trouble and starts over.
    tracker_.Report({.delivered = {}, .failed = {}, .lost = outcome.error()});
    return Published{};
  }
  EndOutage();
  if (*outcome == sinks::PublishOutcome::kFull) {
    tracker_.TakeBack();
    return Published{.step = {Step::Kind::kFull, kRoomCheck}};
  }
  if (careful_messages_ > 0) {
    state_ = State::kAwaiting;
    return Published{.step = {Step::Kind::kPause, kAcknowledgementCheck}};
  }
  return CountHandedOver(row, position);
}

Result<Publisher::Published> Publisher::Await(const binlog::Row& row, std::string_view position) {
  if (tracker_.AllAcknowledged()) {
    if (dead_ && !CountDeadLetter()) return Published{.step = {Step::Kind::kPause, kSkipCheck}};
    if (careful_messages_ > 0) --careful_messages_;
    return CountHandedOver(row, position);
  }
  if (!tracker_.has_trouble()) {
    return Published{.step = {Step::Kind::kPause, kAcknowledgementCheck}};
  }
  sink_.Close();  // No report of this producer comes after it.
  const DeliveryTrouble trouble = tracker_.TakeTrouble();
  tracker_.ForgetUnacknowledged();
  outages_.Count(trouble.failed ? &FailureCounts::sink_refused : &FailureCounts::sink_lost);
  is_refused_by_receiver_ = trouble.failed.has_value();
  if (trouble.failed) {
    auto message = mappings_[row.selection].Map(row, position);
    return Refused(BadEvent(row, position, message ? message->topic : std::string_view{},
                            trouble.failed->error.message, trouble.failed->error.hint));
  }
  state_ = State::kHolding;  // Not the event's fault: only a new producer is needed.
  retry_at_ = clock_.Now() + back_off_.Next();
  return PauseUntilRetry();
}

HeldEvent Publisher::BadEvent(const binlog::Row& row, std::string_view position,
                              std::string_view topic, std::string reason, std::string hint) {
  return {.position = std::string(position),
          .id = std::string(mappings_[row.selection].event_id()),
          .table = fmt::format("{}.{}", row.schema_name, row.table_name),
          .topic = std::string(topic),
          .reason = std::move(reason),
          .hint = std::move(hint),
          .since_us = clock_.WallMicroseconds()};
}

bool Publisher::SendsDeadLetters() const {
  return options_.on_bad_event == DeliveryConfig::OnBadEvent::kDeadLetter &&
         state_directory_ != nullptr;
}

// The event's own topic does not take it or, where that is known already, the dead-letter topic
// does not take its dead letter.
Result<Publisher::Published> Publisher::Refused(HeldEvent event) {
  if (dead_) {
    event.reason =
        fmt::format("{}; as a dead letter it was refused too: {}", dead_->reason, event.reason);
    dead_.reset();  // The next try begins with its own topic.
    return Hold(std::move(event));
  }
  if (!SendsDeadLetters()) return Hold(std::move(event));
  dead_ = std::move(event);
  // If the dead letter is refused, nothing behind it may have been sent.
  careful_messages_ = std::max<std::uint64_t>(careful_messages_, 1);
  state_ = State::kReady;
  return Published{};
}

// Whether it is counted; to be called again where it could not be.
bool Publisher::CountDeadLetter() {
  if (!IsRecorded(DeadLetterLog(state_directory_->path()).Count(*dead_))) return false;
  Log(LogLevel::kWarning, FieldsOf(*dead_, Notice::kDeadLetter),
      fmt::format("dead letter in topic {}: event {} (id {}) of table {}: {}", dead_letter_.topic(),
                  dead_->position, Escaped(dead_->id), dead_->table,
                  WithHint(dead_->reason, dead_->hint)));
  outages_.Count(is_refused_by_receiver_ ? &FailureCounts::dead_refused
                                         : &FailureCounts::dead_not_accepted);
  // Forgetting them only sends some of them twice.
  if (dead_lettered_.size() >= kDeadLetteredMax) dead_lettered_.clear();
  dead_lettered_.insert(dead_->position);
  return true;
}

// Of a running relay a state directory that fails, because its disk is full perhaps, is waited for.
bool Publisher::IsRecorded(const Result<void>& written) {
  if (written) {
    if (std::exchange(is_unrecorded_, false)) outages_.RecordIsStored();
    return true;
  }
  outages_.RecordFails(written.error().message);
  if (!std::exchange(is_unrecorded_, true)) {
    Log(LogLevel::kError, {.notice = Notice::kHoldsForRecord},
        fmt::format("holding: the state directory fails, trying again: {}",
                    written.error().ToText()));
  }
  return false;
}

void Publisher::RecordHeld() { record_is_own_ = IsRecorded(state_directory_->WriteHeld(*held_)); }

Result<Publisher::Published> Publisher::Hold(HeldEvent event) {
  if (options_.on_bad_event == DeliveryConfig::OnBadEvent::kStop || state_directory_ == nullptr) {
    stopped_at_ = event;
    return Fail(ExitCode::kUndecodable, "bad event {} (id {}) of table {}: {}", event.position,
                Escaped(event.id), event.table, event.reason)
        .Hint(
            "{} and start again; with on-bad-event = hold the relay waits at it instead, and "
            "'outboxd skip {}' drops this event, and it only",
            event.hint.empty() ? "mend the cause" : event.hint, event.position);
  }
  const bool is_new = !held_ || held_->position != event.position ||
                      held_->reason != event.reason || held_->hint != event.hint;
  if (is_new) {
    held_ = std::move(event);
    RecordHeld();
    Log(LogLevel::kError, FieldsOf(*held_, Notice::kHoldsAtEvent),
        fmt::format("holding at event {} (id {}) of table {}: {}; trying again until it can be"
                    " delivered; 'outboxd skip {}' drops this event, and it only",
                    held_->position, Escaped(held_->id), held_->table,
                    WithHint(held_->reason, held_->hint), held_->position));
  }
  state_ = State::kHolding;
  // From now on one by one: what comes behind must not overtake it.
  careful_messages_ = std::max<std::uint64_t>(careful_messages_, 1);
  retry_at_ = clock_.Now() + back_off_.Next();
  return PauseUntilRetry();
}

Publisher::Published Publisher::PauseUntilRetry() {
  const auto left = std::chrono::ceil<milliseconds>(retry_at_ - clock_.Now());
  return {.step = {Step::Kind::kPause, std::clamp(left, milliseconds{0}, kSkipCheck)}};
}

Result<Publisher::Published> Publisher::Retry(const binlog::Row& row, std::string_view position) {
  if (held_) {
    if (!record_is_own_) RecordHeld();
    auto request = state_directory_->ReadSkipRequest();
    if (!request) {
      (void)IsRecorded(std::unexpected(request.error()));
    } else if (*request == position) {
      return LetPass(row, position);
    }
  }
  if (clock_.Now() < retry_at_) return PauseUntilRetry();
  state_ = State::kReady;
  return Published{};
}

Result<Publisher::Published> Publisher::LetPass(const binlog::Row& row, std::string_view position) {
  SkippedEvent skipped{.held = *held_, .key = {}, .value = {}, .headers = {}};
  if (auto message = mappings_[row.selection].Map(row, position)) {
    skipped.key = message->key;
    skipped.value = message->value;
    for (const sinks::Header& header : message->headers) {
      skipped.headers.emplace_back(header.name, header.value);
    }
  }
  if (!IsRecorded(state_directory_->RecordSkipped(skipped))) {
    return Published{.step = {Step::Kind::kPause, kSkipCheck}};
  }
  passed_.emplace(position);
  Log(LogLevel::kWarning, FieldsOf(*held_, Notice::kDropped),
      fmt::format("event {} (id {}) was dropped, as an operator said; recorded in {}", position,
                  Escaped(held_->id), state_directory_->path()));
  tracker_.Skip();
  return Passed(position);
}

Result<Publisher::Published> Publisher::PassAgain(std::string_view position) {
  spdlog::warn("event {} is dropped again: an operator said so before", position);
  if (careful_messages_ > 0) --careful_messages_;
  tracker_.Skip();
  return Passed(position);
}

Result<Publisher::Published> Publisher::CountHandedOver(const binlog::Row& row,
                                                        std::string_view position) {
  tracker_.AddEvent(row.schema_name, row.table_name, mappings_[row.selection].event_id());
  tracker_.CountMessage(row.schema_name, row.table_name, message_bytes_);
  return Passed(position);
}

Result<Publisher::Published> Publisher::Passed(std::string_view position) {
  dead_.reset();
  state_ = State::kReady;
  back_off_.Reset();
  // After a replay earlier events come first.
  if (held_ && held_->position != position) return Published{.is_done = true};
  if (held_) spdlog::info("going on behind event {}", held_->position);
  // What an earlier process held at is sent again: nobody waits at it now.
  const bool is_recorded = held_ || (!record_is_own_ && state_directory_ != nullptr);
  held_.reset();
  if (!is_recorded) return Published{.is_done = true};
  // Where it fails the next event tries again.
  record_is_own_ = IsRecorded(state_directory_->ClearHeld());
  return Published{.is_done = true};
}

void Publisher::Reset() {
  state_ = State::kReady;
  dead_.reset();
}

}  // namespace outboxd
