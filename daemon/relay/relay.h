#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "binlog/row.h"
#include "daemon/checkpoint/journal.h"
#include "daemon/error.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/feed.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/publisher.h"
#include "daemon/relay/rate_limit.h"
#include "daemon/relay/sink_owner.h"
#include "daemon/service/clock.h"

namespace outboxd {

// The reader's side of a running relay: takes units of events from a feed, the initial read first
// where one is due and then the stream, and hands them row by row to the publisher. A lost producer
// is replaced, and everything behind what is delivered for good is read again.
//
// Reader thread only, but for what says otherwise.
class Relay {
 public:
  struct Parts {  // Borrowed; they outlive the relay.
    Feed* read;   // Null: there is no initial read.
    Feed& stream;
    SinkOwner& sink;
    DeliveryTracker& tracker;
    Publisher& publisher;
    Liveness& liveness;
    Outages& outages;
    const Clock& clock;
    Journal* journal = nullptr;  // Null: none is kept.
  };
  struct Options {
    // With no checkpoint stored for so long nothing more is published: it would be sent again.
    std::chrono::milliseconds max_unstored{10'000};
    // With nothing sent for so long the source is closed, so that the server can purge its log. It
    // is opened again behind the unit in hand.
    std::chrono::milliseconds max_stall{600'000};
    std::uint64_t max_rate = 0;  // Events a second; 0: no limit.
    // How long RenewProducer() waits for what is in flight.
    std::chrono::milliseconds drain_timeout{30'000};
    // After so many rows of one transaction a sink that keeps checkpoints is offered a boundary.
    std::uint64_t rows_between_boundaries = 1000;
    // Makes a call of the source or the tables that waits return at once. Any thread.
    std::function<void()> interrupt = [] {};
    // The bytes of a checkpoint, for a sink that keeps it with the messages.
    std::function<std::string(const Progress&)> encode = [](const Progress&) { return ""; };
  };

  Relay(Parts parts, Options options);

  // Does one thing: opens, reads one binlog event or publishes some rows. An error ends the run.
  [[nodiscard]] Result<Step> ReadStep();

  // Runs steps until a stop was asked for or an error ends the run.
  [[nodiscard]] Result<void> Run();

  // Any thread. The unit in hand is still handed over to the sink; `at_once`: not even that.
  void RequestStop(bool at_once = false);
  [[nodiscard]] bool stop_requested() const { return stop_.load(std::memory_order_acquire); }

  // Any thread. The sink is opened anew soon, so that what it is configured with by then counts.
  // What is in flight is delivered before, so that nothing is repeated; if that takes longer than
  // drain_timeout, it is sent again through the new producer.
  void RenewProducer() { renews_producer_.store(true, std::memory_order_release); }

  // Any thread. Events a second, from now on; 0: no limit.
  void SetMaxRate(std::uint64_t events_per_second) { rate_limit_.Set(events_per_second); }

  // Any thread. Where it stands still; none: it moves.
  [[nodiscard]] std::optional<HeldEvent> held() const;

 private:
  class OfferedBoundary;

  void Wait(const Step& step);
  void TellHeld();
  Result<Step> Stop();
  Result<Step> OpenSink();
  Result<void> FindLastBoundary();
  Step OfferBoundary(bool is_last, std::optional<TransactionPart> part = {});
  Step OfferBoundaryInside();
  Result<Step> Advance();
  Result<Step> PublishRows();
  Result<Step> OnUnitError(const binlog::Error& error);
  Result<Step> OnDeliveryTrouble();
  Step CloseSink();
  Step CloseDrainedSink();
  void StartOver();
  void CloseStalledSource(bool moved);

  Parts parts_;
  Options options_;

  Feed* feed_;
  bool is_publishing_ = false;
  const binlog::Row* row_ = nullptr;  // The row in hand; null: take the next one.
  std::size_t item_ = 0, items_ = 0;  // Which of its events is next, and how many it makes.
  Clock::TimePoint moved_at_{};       // When a row was last sent, or its unit begun.
  RateLimit rate_limit_;
  std::uint64_t rows_since_boundary_ = 0;
  std::uint64_t delivered_rows_ = 0;  // The next ones of the unit, delivered before.

  bool shows_held_ = false;                          // That held_ is some.
  bool starts_over_ = false;                         // As soon as the sink is open again.
  std::optional<std::uint64_t> careful_messages_{};  // From then on, where one was refused.
  // To a sink that keeps checkpoints.
  struct Offered {
    std::optional<std::string> checkpoint;
    sinks::DeliveryId end = 0;  // It covers the messages before.
  };
  Offered offered_, before_;  // Last, and before that.

  std::optional<Clock::TimePoint> drained_by_;  // None: no new producer was asked for.

  std::atomic<bool> renews_producer_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> stop_at_once_ = false;
  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  // Guarded by mutex_.
  std::optional<HeldEvent> held_;
};

}  // namespace outboxd
