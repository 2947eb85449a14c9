#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "binlog/server_probe.h"
#include "daemon/error.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/known_log.h"
#include "daemon/relay/lag_watch.h"
#include "daemon/service/clock.h"
#include "daemon/status/server_facts.h"

namespace outboxd {

// Asks the server every 5 s for the end of its log and for its time of day, and now and then for
// the files of its log, over a connection and in a thread of its own: neither the reader nor the
// acknowledgements wait for it.
class ServerWatch {
 public:
  // All are borrowed and outlive it. `lag` is told what it proves, `server_clock` its time.
  ServerWatch(binlog::ServerProbe& probe, const DeliveryTracker& tracker, LagWatch& lag,
              ServerClock& server_clock, const Clock& clock);

  // Asks again and again, until RequestStop(). Never fails.
  [[nodiscard]] Result<void> Run();

  // Asks once. Returns how long to wait until it is asked again. The thread of Run() only.
  std::chrono::milliseconds Ask();

  // Makes Run() return soon. Any thread.
  void RequestStop();

  // As it was told in the last 30 s, and what it keeps of its log at any time. Any thread.
  [[nodiscard]] ServerFacts facts() const;

 private:
  struct Answer {
    ServerFacts facts;
    std::string server_uuid;    // Whose they are.
    Clock::TimePoint asked_at;  // Before the question.
  };

  [[nodiscard]] binlog::Result<void> AskFor(const AcknowledgedPlace& place, ServerFacts& facts);
  [[nodiscard]] binlog::Result<void> AskForTime(ServerFacts& facts);
  void TellClock(std::chrono::microseconds ahead);
  void OnFailure(const binlog::Error& error, const std::string& server_uuid);
  void Keep(std::optional<Answer> answer);

  // Constant after construction.
  binlog::ServerProbe& probe_;
  const DeliveryTracker& tracker_;
  LagWatch& lag_;
  ServerClock& server_clock_;
  const Clock& clock_;

  // The thread of Run() only.
  KnownLog log_;
  bool was_told_ = false;        // That the server refuses.
  bool clock_was_told_ = false;  // That its clock differs.

  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  // Guarded by mutex_.
  bool stop_ = false;
  std::optional<Answer> answer_;
  std::optional<KeptLog> kept_;  // As it was told last ...
  std::string kept_of_;          // ... by the server with this UUID.
};

}  // namespace outboxd
