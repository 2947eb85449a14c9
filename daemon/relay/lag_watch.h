#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "binlog/log_end.h"
#include "binlog/server_probe.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/server_clock.h"
#include "daemon/service/clock.h"
#include "daemon/status/lag.h"

namespace outboxd {

// Knows what proves how far the relay is behind.
//
// That nothing is behind is proven by the end of the log, as the server told it within the last
// 10 s, when what is acknowledged reaches it; or by three heartbeats in a row at one place with all
// that was read acknowledged. Fewer prove nothing: the server also sends them while it skips what
// was read before, and where it comes to the end of that two can come at one place, with more
// behind (MySQL 9.7 sql/rpl_binlog_sender.cc, Binlog_sender::send_events()). Of a replica that is
// behind its own source neither is a proof. Whether it is, is known as of the question only: of a
// replica heartbeats prove nothing, nor do they before the server was asked.
//
// Two threads tell it something, the reader and that of ServerWatch; any thread asks.
class LagWatch {
 public:
  // The end of a server's log, and what else belongs to it.
  struct LogEndAnswer {
    std::string server_uuid;
    binlog::LogEnd end;
    binlog::ReplicaStanding standing{};  // Of the server to its own source.
    Clock::TimePoint asked_at;           // Before the question.
  };

  struct Options {
    // How often the server sends a heartbeat while nothing comes.
    std::chrono::milliseconds heartbeat{1000};
    // For how long a proof holds, from what is proven on; for three heartbeats, where that is
    // longer.
    std::chrono::milliseconds proof_age_max{10'000};
  };

  // Borrowed.
  LagWatch(const DeliveryTracker& tracker, const ServerClock& server_clock, const Clock& clock,
           Options options);

  // Reader thread.

  // A stream of this server is open: heartbeats before it prove nothing any more.
  void OnOpened(const std::string& server_uuid);
  // What was read and is not acknowledged is forgotten and will be read again: nothing is proven.
  void OnStartOver();
  // The server has nothing to send now, and stands there. All that was read before is announced.
  void OnHeartbeat(const binlog::LogEnd& place);

  // The thread of ServerWatch.

  void OnLogEnd(LogEndAnswer answer);
  // That server may not be asked: heartbeats have to do. One that does not answer is another
  // matter: it may be a replica that is behind.
  void OnRefusal(const std::string& server_uuid);

  // Any thread.

  // `is_away`: the source cannot be read, or the sink takes nothing, so that nothing is proven.
  // `read_begun_us`: when the initial read that is under way began; 0: not known; none: there is
  // none.
  [[nodiscard]] LagFacts Facts(bool is_away, std::optional<std::uint64_t> read_begun_us);

 private:
  struct Heartbeat {
    binlog::LogEnd place;
    int count = 1;  // In a row, at that place.
    Clock::TimePoint at;
  };

  // A time of commit, and since when it is found here. A clock that is ahead, of a replica's source
  // say, must not hide how long that is.
  struct SeenCommit {
    std::uint64_t commit_us = 0;
    Clock::TimePoint since;
  };

  void Prove(Clock::TimePoint done, Clock::TimePoint until);
  void ProveByLogEnd(const DeliveryStanding& standing, Clock::TimePoint now);
  [[nodiscard]] LagFacts::Duration AgeOf(SeenCommit& seen, std::uint64_t commit_us,
                                         Clock::TimePoint now) const;

  // Constant after construction.
  const DeliveryTracker& tracker_;
  const ServerClock& server_clock_;
  const Clock& clock_;
  const Options options_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<Heartbeat> last_heartbeat_;
  std::optional<LogEndAnswer> log_end_;
  std::string server_uuid_;  // Of the stream that was opened last.
  bool heartbeats_count_ = false;
  bool is_away_ = false;                  // As Facts() was told last.
  std::optional<Clock::TimePoint> done_;  // All committed before was acknowledged.
  Clock::TimePoint proven_until_{};
  SeenCommit oldest_, passed_;
};

}  // namespace outboxd
