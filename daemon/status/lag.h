#pragma once

#include <chrono>
#include <optional>

namespace outboxd {

// What is known of how far a relay is behind, at one moment. The lag is the age of the oldest
// commit that is not acknowledged: from it everything that tells a lag is made (LagAfter()).
//
// Ages are by the clock of the server that is read, as it was asked last, and go on with this
// machine's steady clock: a time of day that is wrong here, or jumps, changes none.
struct LagFacts {
  using Duration = std::chrono::microseconds;

  // The age of the oldest commit that was read and is not acknowledged, through replicas too; in an
  // initial read the time since it began. None: there is none.
  std::optional<Duration> oldest;
  // How long ago everything was committed that is acknowledged for certain: what may be missing was
  // committed since. None: nothing is known since the process began.
  std::optional<Duration> done;
  // For how long from that moment on it counts as proven that nothing is behind; 0: it is not.
  Duration proven_for{0};

  friend bool operator==(const LagFacts&, const LagFacts&) = default;
};

// The lag when `elapsed` has passed since, and nothing more was learnt. None: not known. 0: proven.
// Where something was read it is exact; else it is the most that it can be.
[[nodiscard]] std::optional<LagFacts::Duration> LagAfter(const LagFacts& facts,
                                                         LagFacts::Duration elapsed = {});

}  // namespace outboxd
