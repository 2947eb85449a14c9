#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "daemon/status/kept_log.h"

namespace outboxd {

// What the server that is read told of itself.
struct ServerFacts {
  // The lag in bytes: how much of the server's binary log lies between the acknowledged place and
  // the log's end. Counted is the log as it stands in its files: transactions that are of no
  // concern, and what frames them, as well. In an initial read the acknowledged place is where it
  // began, as soon as the log behind it was looked at: all that came since has to be read yet.
  //
  // The place is looked at before the server is asked for the end, so that the two belong together
  // and 0 means that nothing was left then; a place of now and an end of a while ago would tell too
  // little. None, and never 0, where it is not known: before the first answer; while the server
  // cannot be asked, or the account may not ask; while it is not known where in the files of this
  // server the acknowledged place is (DeliveryStanding::place), or how large the files between are.
  std::optional<std::uint64_t> lag_bytes;
  // By how much the server's time of day is ahead of this machine's.
  std::optional<std::chrono::microseconds> clock_ahead;
  // How long it took to answer a statement that takes no time.
  std::optional<std::chrono::microseconds> round_trip;
  // Of the server that is read, as it told last, however long ago that is.
  std::optional<KeptLog> log;

  friend bool operator==(const ServerFacts&, const ServerFacts&) = default;
};

}  // namespace outboxd
