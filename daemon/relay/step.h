#pragma once

#include <chrono>

namespace outboxd {

// What a step of the reader thread came to.
struct Step {
  enum class Kind {
    kGoOn,     // Call again at once.
    kFull,     // The sink's queue is full: wait for room, at most `pause`.
    kPause,    // Nothing to do before `pause` is over.
    kStopped,  // A stop was asked for and the last unit is handed over.
  };
  Kind kind = Kind::kGoOn;
  std::chrono::milliseconds pause{0};
};

}  // namespace outboxd
