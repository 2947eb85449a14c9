#pragma once

#include <optional>
#include <string>

#include "daemon/checkpoint/checkpoint_store.h"
#include "daemon/checkpoint/file_system.h"

namespace outboxd {

// Keeps the checkpoint in the file `checkpoint` of the state directory (checkpoint_format.h). It is
// replaced as a whole (ReplaceFile()), so that it is never seen half-written; a damaged one is
// refused, not repaired. One thread at a time.
class CheckpointFile : public CheckpointStore {
 public:
  // `relay` is this relay's name. `files` is borrowed and outlives the store.
  CheckpointFile(std::string directory, std::string relay, FileSystem& files = SystemFiles());

  // kCheckpoint also for a file that a newer outboxd has written. kState: it cannot be read.
  [[nodiscard]] Result<std::optional<Checkpoint>> Load() override;

  [[nodiscard]] Result<void> Settle() override;

  // kState. Where only the sync of the directory failed, the new checkpoint may stand already.
  [[nodiscard]] Result<void> Store(const Checkpoint& checkpoint) override;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  // Constant after construction.
  const std::string directory_;
  const std::string relay_;
  const std::string path_;
  FileSystem& files_;
};

}  // namespace outboxd
