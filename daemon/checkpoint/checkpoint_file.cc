#include "daemon/checkpoint/checkpoint_file.h"

#include <utility>

#include "daemon/checkpoint/checkpoint_format.h"

namespace outboxd {
namespace {

constexpr char kName[] = "checkpoint";
// A GTID set of a million intervals takes about 16 MB.
constexpr std::size_t kBytesMax = 64u << 20;

}  // namespace

CheckpointFile::CheckpointFile(std::string directory, std::string relay, FileSystem& files)
    : directory_(std::move(directory)),
      relay_(std::move(relay)),
      path_(directory_ + "/" + kName),
      files_(files) {}

Result<std::optional<Checkpoint>> CheckpointFile::Load() {
  const auto contents = ReadFile(files_, path_, kBytesMax);
  if (!contents) return std::unexpected(contents.error());
  if (!contents->has_value()) return std::nullopt;
  auto checkpoint = DecodeCheckpoint(**contents, relay_, path_);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  return std::move(*checkpoint);
}

// No file gets this name before its contents are synced.
Result<void> CheckpointFile::Settle() { return SyncDirectory(files_, directory_); }

Result<void> CheckpointFile::Store(const Checkpoint& checkpoint) {
  const auto contents = EncodeCheckpoint(checkpoint);
  if (!contents) return std::unexpected(contents.error());
  return ReplaceFile(files_, directory_, kName, *contents);
}

}  // namespace outboxd
