#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "binlog/log_end_source.h"
#include "daemon/error.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/service/clock.h"

namespace outboxd {

// The lag to acknowledgement in bytes: how much of the source's binary log lies between the
// acknowledged place and the log's end. Counted is the log as it stands in its files: transactions
// that are of no concern, and what frames them, as well.
//
// The place is looked at before the server is asked for the end, so that the two belong together
// and 0 means that nothing was left then; a place of now and an end of a while ago would tell too
// little. The number is that of the last question, at most 10 s ago as a rule. It is none, and
// never 0, where it is not known: before the first answer; while the server cannot be asked, or
// the account may not ask; when the last answer is older than 30 s; while it is not known where in
// the files of this server the acknowledged place is (DeliveryTracker::acknowledged_place()), or
// how large the files between are.
//
// In an initial read the acknowledged place is where it began, as soon as the log behind it was
// looked at: all that came since has to be read yet.
//
// It asks over a connection and in a thread of its own: neither the reader nor the acknowledgements
// wait for it.
class LogLag {
 public:
  // All are borrowed and outlive it.
  LogLag(binlog::LogEndSource& source, const DeliveryTracker& tracker, const Clock& clock);

  // Asks again and again, until RequestStop(). Never fails.
  [[nodiscard]] Result<void> Run();

  // Asks once. Returns how long to wait until it is asked again. The thread of Run() only.
  std::chrono::milliseconds Ask();

  // Makes Run() return soon. Any thread.
  void RequestStop();

  // None: not known. Any thread.
  [[nodiscard]] std::optional<std::uint64_t> bytes() const;

 private:
  struct Answer {
    std::uint64_t bytes;
    std::string server_uuid;    // Whose log it is.
    Clock::TimePoint asked_at;  // Before the question.
  };

  [[nodiscard]] binlog::Result<std::optional<std::uint64_t>> Measure(
      const AcknowledgedPlace& place);
  [[nodiscard]] binlog::Result<void> LearnFiles(const binlog::LogEnd& end);
  [[nodiscard]] std::optional<std::uint64_t> BytesOver(const AcknowledgedPlace& place,
                                                       const binlog::LogEnd& end) const;
  void TellFailure(const binlog::Error& error);
  void Keep(std::optional<Answer> answer);

  // Constant after construction.
  binlog::LogEndSource& source_;
  const DeliveryTracker& tracker_;
  const Clock& clock_;

  // The thread of Run() only.
  std::vector<binlog::LogFile> files_;  // As they were told last ...
  std::string files_of_;                // ... of the server with this UUID.
  Clock::TimePoint next_files_{};       // Not asked for before.
  bool was_told_ = false;               // That the server refuses.

  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  // Guarded by mutex_.
  bool stop_ = false;
  std::optional<Answer> answer_;
};

}  // namespace outboxd
