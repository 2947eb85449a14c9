#pragma once

#include "sinks/sink.h"
#include "sinks/sink_words.h"

namespace outboxd::sim {

// A sink of the simulated world, which moves when it is its turn.
class WorldSink : public sinks::Sink {
 public:
  static constexpr sinks::SinkWords kWords{.destination = "into the simulated world",
                                           .receiver = "the broker",
                                           .identity = "world",
                                           .address_key = "sink.type",
                                           .keep_advice = ""};

  // The broker's turn.
  virtual void Step() = 0;
  // The process is gone.
  virtual void Drop() = 0;
};

}  // namespace outboxd::sim
