#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/checkpoint/checkpoint_store.h"
#include "daemon/checkpoint/journal.h"
#include "daemon/error.h"
#include "daemon/relay/delivery_silence.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/sink_owner.h"
#include "daemon/service/clock.h"
#include "daemon/status/receiver_facts.h"
#include "sinks/sink.h"

namespace outboxd {

// The acknowledgements' side of a running relay: takes what the sink reports to the tracker and
// stores the progress as a checkpoint, at least once an interval while it moves.
//
// Acknowledgement thread only, but for receiver().
class Acknowledger {
 public:
  struct Options {
    std::string relay;                // Goes into the checkpoint, as do
    std::vector<std::string> tables;  // these.
    std::chrono::milliseconds interval{1000};
    int unstored_max = 10;  // After so many in a row that fail the relay holds.
  };

  // All are borrowed and outlive it. `store` may be null: then nothing is remembered. `journal` may
  // be null: then no journal is kept.
  Acknowledger(SinkOwner& sink, DeliveryTracker& tracker, CheckpointStore* store, Journal* journal,
               Outages& outages, const Clock& clock, Options options);

  // Waits up to `timeout` for reports and stores a checkpoint when one is due. A checkpoint that
  // cannot be stored is logged and tried again at the next interval: deliveries go on for a while,
  // and what the older checkpoint does not cover would be repeated after a crash.
  void Step(std::chrono::milliseconds timeout);

  // Stores the progress now if it has moved since it was stored last, and before it what the
  // journal lacks of it. kState.
  [[nodiscard]] Result<void> Store();

  // Any thread.
  [[nodiscard]] ReceiverFacts receiver() const;

 private:
  void NoticeSilence();
  void NoteReceiver();
  void TellUnstored(const Error& error);
  void WriteJournal();

  // Constant after construction.
  SinkOwner& sink_;
  DeliveryTracker& tracker_;
  CheckpointStore* store_;
  Journal* journal_;
  Outages& outages_;
  const Clock& clock_;
  Options options_;

  sinks::DeliveryReports reports_;
  DeliverySilence silence_;
  std::uint64_t stored_version_ = 0;
  int unstored_times_ = 0;  // In a row.
  Clock::TimePoint next_store_{};

  mutable std::mutex mutex_;
  ReceiverFacts receiver_;  // Guarded by mutex_.
};

}  // namespace outboxd
