#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"
#include "binlog/event_source.h"
#include "binlog/gtid_set.h"

namespace outboxd::binlog {

// Of the transactions of a position, those a server does not have.
enum class Lack {
  kNothing,
  kTail,      // The last ones of the former source: a failover lost them, or it lags.
  kOwn,       // Its own: it was reset or restored.
  kOther,     // Such of a third server, or not the last ones of the former source.
  kDisjoint,  // All of them: it is another server.
};

struct Comparison {
  Lack lack = Lack::kNothing;
  GtidSet missing;
};

// Compares the position's set with what the server `server_uuid` has. `former_uuid`: the server the
// position was read from; empty: not known.
[[nodiscard]] Comparison CompareHistories(const GtidSet& have, const GtidSet& server_has,
                                          std::string_view server_uuid,
                                          std::string_view former_uuid);

// What is in `server_has` of origins that `have` knows nothing of.
[[nodiscard]] GtidSet OfUnseenOrigins(const GtidSet& have, const GtidSet& server_has);

// @@global.gtid_owned: transactions that are not committed yet, but may have been sent already.
// Its text has the owning session behind each number: "UUID:12#4:13#5".
[[nodiscard]] Result<GtidSet> ParseOwnedGtids(std::string_view text);

// Whether `transaction`, the last one of what was read, is another one on the server, whose time of
// commit `server_us` is: then its GTID was given again after a crash. kDiverged.
[[nodiscard]] Result<void> CompareLastTransaction(const KnownHistory& known,
                                                  std::uint64_t server_us);

// How a server may still get transactions that it lacks.
struct Replication {
  bool is_applying{};                  // It has received some of them, and applies them.
  std::vector<std::string> sources{};  // The servers that it receives from; "": not told which.
  std::string group{};                 // Of Group Replication, by name; empty: it is in none.
};

// What one of the configured hosts answered when it did not take the stream over.
struct HostAnswer {
  // With the host's address. kDenied with `lack`: the account may not see what it may still get.
  Error error;
  Lack lack{};                // kNothing: the error is another one.
  std::uint64_t missing{};    // How many transactions it lacks.
  std::string server_uuid{};  // Its own; set with `lack`.
  Replication replication{};
  // It was not asked further, for it is cut off from its group: it may still be read where no other
  // host can.
  bool is_cut_off{};
};

// Of the answers of all hosts the one that leaves most hope, the first of several, so that a run
// ends only when every host's answer ends it. Its text names what the other hosts answered as well.
[[nodiscard]] Error MostHopeful(std::span<const HostAnswer> answers);

// Decides what to do when no host could go on: wait, because a host may catch up or come back; go
// on with one that lost transactions; or give up. One thread.
class HostChoice {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit HostChoice(std::chrono::milliseconds lag_timeout) : lag_timeout_(lag_timeout) {}

  // The host to go on with, without what it lost. kDisconnected: ask all hosts again later.
  // kDenied: nothing can be decided without a privilege. Every other error is that of the most
  // hopeful answer. `answers`: one for each host in order, never empty.
  [[nodiscard]] Result<std::size_t> Decide(std::span<const HostAnswer> answers, TimePoint now);

  // A host has gone on.
  void Reset() { since_.reset(); }

 private:
  // Constant after construction.
  const std::chrono::milliseconds lag_timeout_;

  std::optional<TimePoint> since_;  // Since when hosts answer, but none can go on.
};

}  // namespace outboxd::binlog
