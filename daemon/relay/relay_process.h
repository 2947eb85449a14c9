#pragma once

#include <functional>
#include <memory>

#include "binlog/character_sets.h"
#include "daemon/checkpoint/checkpoint_store.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/relay/clock.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/publisher.h"
#include "daemon/service/service_notifier.h"
#include "daemon/service/stop_signals.h"
#include "sinks/sink.h"

namespace outboxd {

// Everything a relay of this process is made of, and the life of its two threads: the reader runs
// Relay (after TableRead, where one is due), the calling thread acknowledges, stores checkpoints,
// feeds the watchdog and answers signals. Used by `run` and `tail`.
class RelayProcess {
 public:
  struct Parts {  // Borrowed; `store` and `state` may be null: then nothing is remembered.
    const Config& config;
    const binlog::CharacterSets& character_sets;
    sinks::Sink& sink;
    CheckpointStore* store;
    StateDirectory* state;
    ServiceNotifier& notifier;
    StopSignals& signals;
    const Clock& clock;
    decltype(Publisher::Options::on_mapped) on_mapped = {};
  };

  explicit RelayProcess(Parts parts) : parts_(std::move(parts)) {}

  // Relays from `progress` on until a signal or an error; before it returns it waits, up to
  // relay.stop-timeout, for the deliveries under way and stores the checkpoint.
  [[nodiscard]] Result<void> Run(Progress progress, EventTables tables, ReplicaIdentity identity);

 private:
  Parts parts_;
};

}  // namespace outboxd
