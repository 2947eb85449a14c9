#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "binlog/event_source.h"
#include "binlog/row_reader.h"
#include "binlog/transaction_reader.h"
#include "daemon/error.h"
#include "daemon/relay/back_off.h"
#include "daemon/relay/change_watch.h"
#include "daemon/relay/clock.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/event_position.h"
#include "daemon/relay/failover_watch.h"
#include "daemon/relay/publisher.h"
#include "daemon/relay/rate_limit.h"
#include "sinks/sink.h"

namespace outboxd {

// The reader's side of a running relay: takes committed transactions from the source, row by row to
// the publisher, and announces each to the tracker. Every retry is decided here: a lost source is
// opened again behind what was read, a lost producer is replaced and everything behind what is
// delivered for good is read again.
//
// Reader thread only, but for RequestStop() and quiet_until().
class Relay {
 public:
  struct Parts {  // Borrowed; they outlive the relay.
    binlog::EventSource& source;
    binlog::TransactionReader& transactions;
    binlog::RowReader& rows;
    sinks::Sink& sink;
    DeliveryTracker& tracker;
    Publisher& publisher;
    ChangeWatch& changes;
    FailoverWatch& failovers;
    const Clock& clock;
  };
  struct Options {
    std::chrono::milliseconds sink_open_timeout{10'000};
    // The longest that opening the source or waiting for its next event may take.
    std::chrono::milliseconds source_open_timeout{700'000};
    std::chrono::milliseconds source_read_timeout{700'000};
    // After a transaction with a larger binlog event the source is opened again: the client library
    // keeps the memory of the largest one for as long as the connection lasts.
    std::size_t large_event_bytes = std::size_t{16} << 20;
    // With nothing sent for so long the source is closed, so that the server can purge its log. It
    // is opened again behind the transaction in hand.
    std::chrono::milliseconds max_stall{600'000};
    std::uint64_t max_rate = 0;  // Events a second; 0: no limit.
  };

  Relay(Parts parts, Options options);

  // Does one thing: opens, reads one binlog event or publishes some rows. An error ends the run.
  [[nodiscard]] Result<Step> ReadStep();

  // Runs steps until a stop was asked for or an error ends the run.
  [[nodiscard]] Result<void> Run();

  // Waits as `step` asks; returns early when a stop is asked for.
  void Wait(const Step& step);

  // Any thread. The transaction in hand is still handed over to the sink; `at_once`: not even that.
  void RequestStop(bool at_once = false);
  [[nodiscard]] bool stop_requested() const { return stop_.load(std::memory_order_acquire); }

  // Any thread. Until when the reader may be silent without being stuck.
  [[nodiscard]] Clock::TimePoint quiet_until() const {
    return Clock::TimePoint(Clock::TimePoint::duration(quiet_until_.load()));
  }

  // Any thread. Where it stands still; none: it moves.
  [[nodiscard]] std::optional<std::string> held_position() const;

  // Opens the sink where it is not open; done: `*is_open`.
  [[nodiscard]] Result<Step> OpenSink(bool* is_open);
  // Answers a trouble of deliveries: the producer is closed, everything in flight forgotten.
  [[nodiscard]] Result<Step> OnDeliveryTrouble();

 private:
  enum class Phase { kOpenSink, kOpenSource, kReading, kPublishing };

  Result<Step> OpenSource();
  Result<bool> OnFailover();
  Result<Step> ReadEvent();
  Result<Step> OnTransaction();
  Result<Step> PublishRows();
  Step EndTransaction();
  void CloseSource();
  void CloseStalledSource(bool moved);
  [[nodiscard]] binlog::Position ReadPosition() const;
  Result<Step> StartOver();
  Result<Step> OnSourceError(const binlog::Error& error);
  Result<Step> OnCorruptEvent(const binlog::Error& error);
  void ExpectAnswerWithin(std::chrono::milliseconds bound);
  Step PauseBefore(Phase next, BackOff& back_off);

  Parts parts_;
  Options options_;

  Phase phase_ = Phase::kOpenSink;
  binlog::Position resume_from_;
  binlog::StreamIdentity stream_;
  binlog::KnownHistory known_;  // Of resume_from_, or of what was read behind it.
  EventPosition event_position_;
  std::string row_position_;
  const binlog::Row* row_ = nullptr;  // The row in hand; null: take the next one.
  std::size_t item_ = 0, items_ = 0;  // Which of its events is next, and how many it makes.

  bool source_is_open_ = false;
  Clock::TimePoint moved_at_{};  // When a row was last sent, or its transaction begun.
  RateLimit rate_limit_;
  bool source_was_open_ = false;  // Ever: from then on the operator's faults are waited out.
  bool sink_was_open_ = false;
  BackOff source_back_off_;
  BackOff sink_back_off_;
  std::uint64_t delivered_at_trouble_ = 0;
  std::string corrupt_place_;
  int corrupt_times_ = 0;

  std::atomic<bool> stop_ = false;
  std::atomic<bool> stop_at_once_ = false;
  std::atomic<Clock::TimePoint::rep> quiet_until_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  // Guarded by mutex_.
  std::optional<std::string> held_position_;
};

}  // namespace outboxd
