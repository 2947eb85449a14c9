#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace outboxd {

// What is known of the way to the receiver.
struct ReceiverFacts {
  // How long it took lately, at the least, from handing a message over to its acknowledgement;
  // none: nothing was delivered yet.
  std::optional<std::chrono::microseconds> round_trip;
  std::uint64_t in_flight_bytes = 0;     // Keys and values that are not acknowledged.
  std::uint64_t in_flight_max = 0;       // Messages that may be on their way; 0: not known.
  std::uint64_t acknowledged_at_us = 0;  // Wall clock: when it last acknowledged; 0: never yet.
  std::uint64_t stored_at_us = 0;        // When a checkpoint was stored last; 0: not yet.

  friend bool operator==(const ReceiverFacts&, const ReceiverFacts&) = default;
};

}  // namespace outboxd
