#pragma once

#include <optional>

#include "daemon/checkpoint/checkpoint.h"
#include "daemon/error.h"

namespace outboxd {

// Keeps one relay's checkpoint across crashes. Loaded once at start, then written by the
// acknowledgement thread.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // None: there has never been one. kCheckpoint: damaged, torn or another relay's.
  [[nodiscard]] virtual Result<std::optional<Checkpoint>> Load() = 0;

  // To be called before anything is published on the strength of what Load() returned. A Store()
  // that was broken off may have left a checkpoint which is not synced yet, so that a crash of the
  // machine would take it back. After success it survives that. kState.
  [[nodiscard]] virtual Result<void> Settle() = 0;

  // After success it survives a crash of process and machine; after an error the earlier one is
  // intact. kState.
  [[nodiscard]] virtual Result<void> Store(const Checkpoint& checkpoint) = 0;
};

}  // namespace outboxd
