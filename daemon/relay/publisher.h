#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/row.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/mapping/outbox_mapping.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/dead_letter.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/sink_owner.h"
#include "daemon/relay/step.h"
#include "daemon/service/clock.h"

namespace outboxd {

// Takes one row at a time to the sink. At a bad event it stands still until the event can be
// delivered or an operator lets it pass; or, where configured, it sends a dead letter instead and
// stands still only if that is refused too. What comes behind a bad event waits until that, or its
// dead letter, is acknowledged. Never blocks longer than a call of the sink does. Reader thread
// only.
class Publisher {
 public:
  struct Options {
    DeliveryConfig::OnBadEvent on_bad_event = DeliveryConfig::OnBadEvent::kHold;
    std::string dead_letter_topic = {};  // No event may go there by itself. Empty: there is none.
    // Sees each message before it is sent, again when it is sent again. Empty: nobody looks.
    std::function<void(const OutboxMapping& mapping, std::string_view position,
                       const sinks::Message& message)>
        on_mapped = {};
  };

  // All but `mappings` are borrowed and outlive the publisher. `state` may be null: then a bad
  // event always ends the run. `mappings`: by Row::selection.
  Publisher(std::vector<OutboxMapping> mappings, SinkOwner& sink, DeliveryTracker& tracker,
            StateDirectory* state, Outages& outages, const Clock& clock, Options options);

  // How many events the row makes; one that makes none is counted. To be asked once for each row,
  // before Publish(), which is about the first of them then.
  [[nodiscard]] std::size_t CountEvents(const binlog::Row& row);
  // Publish() is about this event of the row from now on. Returns its position, valid until the
  // next call: `row_position`, where the row makes a list with the event's number behind it.
  [[nodiscard]] std::string_view TakeItem(const binlog::Row& row, std::string_view row_position,
                                          std::size_t item);
  // How many rows were no events. Any thread.
  [[nodiscard]] std::uint64_t unselected() const {
    return unselected_.load(std::memory_order_relaxed);
  }

  struct Published {
    bool is_done = false;  // The event is handed over, or let pass: it is the next one's turn.
    Step step = {};
  };

  // Moves on with `row`, which stands at `position`; to be called again with the same row until it
  // says that it is done. The sink is open; where it closes it, because a message was
  // refused, the next call comes when it is open again. An error ends the run.
  [[nodiscard]] Result<Published> Publish(const binlog::Row& row, std::string_view position);

  // The next `messages` messages are sent one by one, each only after the one before was
  // acknowledged, so that a refused one is known for sure and nothing overtakes it.
  void BeCareful(std::uint64_t messages) { careful_messages_ = messages; }

  // Forgets the row in hand: the source will bring it again.
  void Reset();

  // Whether it waits for the one message in flight and judges its failure itself.
  [[nodiscard]] bool is_awaiting() const { return state_ == State::kAwaiting; }

  // The event it stands still at; none: it moves.
  [[nodiscard]] const std::optional<HeldEvent>& held() const { return held_; }
  // For which Publish() failed, as on_bad_event = stop wants it.
  [[nodiscard]] const std::optional<HeldEvent>& stopped_at() const { return stopped_at_; }

 private:
  enum class State {
    kReady,     // The row in hand has not been accepted by the sink yet.
    kAwaiting,  // Careful: accepted, its acknowledgement is due.
    kHolding,   // A bad event; tries again at retry_at_.
  };

  Result<Published> Send(const binlog::Row& row, std::string_view position);
  Result<Published> HandOver(const binlog::Row& row, std::string_view position,
                             const sinks::Message& message);
  Result<Published> Await(const binlog::Row& row, std::string_view position);
  Result<Published> Retry(const binlog::Row& row, std::string_view position);
  Result<Published> Refused(HeldEvent event);
  Result<Published> Hold(HeldEvent event);
  Result<Published> LetPass(const binlog::Row& row, std::string_view position);
  Result<Published> CountHandedOver(const binlog::Row& row, std::string_view position);
  void EndOutage();
  Result<Published> Passed(std::string_view position);
  Result<Published> PassAgain(std::string_view position);
  [[nodiscard]] bool CountDeadLetter();
  void RecordHeld();
  [[nodiscard]] bool IsRecorded(const Result<void>& written);
  [[nodiscard]] HeldEvent BadEvent(const binlog::Row& row, std::string_view position,
                                   std::string_view topic, std::string reason,
                                   std::string hint = {});
  [[nodiscard]] bool SendsDeadLetters() const;
  Published PauseUntilRetry();

  // Constant after construction.
  std::vector<OutboxMapping> mappings_;
  SinkOwner& sink_;
  DeliveryTracker& tracker_;
  StateDirectory* state_directory_;
  Outages& outages_;
  const Clock& clock_;
  Options options_;

  State state_ = State::kReady;
  std::uint64_t careful_messages_ = 0;
  std::optional<HeldEvent> held_, stopped_at_;
  std::optional<HeldEvent> dead_;  // Its own topic refused the row in hand: a dead letter is due.
  DeadLetter dead_letter_;
  // Positions of events whose dead letters are acknowledged: when they are read again because of a
  // message behind them, nothing is sent.
  std::set<std::string, std::less<>> dead_lettered_;
  // Of those that operators let pass, also before this process.
  std::set<std::string, std::less<>> passed_;
  bool is_refused_by_receiver_ = false;  // The row in hand; else it was not even sent.
  bool is_unreachable_ = false;          // The sink could not take the row in hand.
  bool record_is_own_ = false;  // The directory's record of it is not that of an earlier process.
  bool is_unrecorded_ = false;  // Something that has to stand there could not be written.
  BackOff back_off_;
  Clock::TimePoint retry_at_{};
  std::string item_position_;
  std::size_t message_bytes_ = 0;  // Key and value of the message mapped last.
  std::atomic<std::uint64_t> unselected_ = 0;
};

}  // namespace outboxd
