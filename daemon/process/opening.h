#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "binlog/interrupter.h"
#include "daemon/checkpoint/checkpoint.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/preparation/preparation.h"
#include "daemon/relay/liveness.h"
#include "daemon/relay/outages.h"
#include "daemon/relay/sink_owner.h"
#include "daemon/service/clock.h"

namespace outboxd {

// What comes before a relay can begin: the sink is opened, which may keep the checkpoint, then the
// checkpoint is chosen, and then the source looked at. Waits for servers that are away. The reader
// thread runs it.
class Opening {
 public:
  struct Parts {  // Borrowed.
    const Config& config;
    SinkOwner& sink;
    Liveness& liveness;
    Outages& outages;
    binlog::Interrupter& interrupter;
    const Clock& clock;
    bool waits_for_server;  // Else a source that is away ends it.
  };

  // `stored`: the checkpoint of this machine; none: there is none.
  Opening(Parts parts, std::optional<Checkpoint> stored)
      : parts_(parts), checkpoint_(std::move(stored)) {}

  // Until everything is open, a stop is asked for, or an error ends the run.
  [[nodiscard]] Result<void> Run();

  // Any thread.
  void RequestStop();

  // After Run(). None: it was stopped.
  [[nodiscard]] std::optional<Preparation>& preparation() { return preparation_; }
  // What the relay goes on from; none: it begins anew.
  [[nodiscard]] const std::optional<Checkpoint>& checkpoint() const { return checkpoint_; }
  // Whether that is another one than the stored checkpoint.
  [[nodiscard]] bool leaves_stored() const { return leaves_stored_; }

 private:
  [[nodiscard]] Result<void> OpenSink();
  [[nodiscard]] Result<void> ChooseCheckpoint();
  [[nodiscard]] Result<void> PrepareSource();
  [[nodiscard]] Result<Preparation> PrepareOnce();
  [[nodiscard]] bool MustStop();
  // Whether a stop was asked for.
  bool Wait(std::chrono::milliseconds pause);

  // Constant after construction.
  const Parts parts_;

  std::optional<Checkpoint> checkpoint_;
  bool leaves_stored_ = false;
  std::optional<Preparation> preparation_;

  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;  // Guarded by mutex_.
};

// A checkpoint that was made for other event tables would begin a new one in the middle.
// kCheckpoint.
[[nodiscard]] Result<void> CheckTables(const Checkpoint& checkpoint, const Config& config);

}  // namespace outboxd
