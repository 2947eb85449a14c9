#pragma once

#include "sinks/sink.h"

namespace outboxd::sim {

// A sink of the simulated world, which moves when it is its turn.
class WorldSink : public sinks::Sink {
 public:
  // The broker's turn.
  virtual void Step() = 0;
  // The process is gone.
  virtual void Drop() = 0;
};

}  // namespace outboxd::sim
