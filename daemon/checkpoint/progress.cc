#include "daemon/checkpoint/progress.h"

#include <algorithm>

#include "binlog/gtid_set.h"

namespace outboxd {

binlog::KnownHistory HistoryOf(const Progress& progress) {
  return {.server_uuid = progress.server_uuid,
          .last_gtid = progress.last_gtid,
          .last_commit_us = progress.last_commit_us,
          .begun = progress.part ? binlog::FindGtid(progress.part->place) : std::nullopt};
}

Checkpoint MakeCheckpoint(const Progress& progress, const std::string& relay,
                          const std::vector<std::string>& tables, std::uint64_t written_at_us) {
  Checkpoint checkpoint{
      .relay = relay,
      .server_uuid = progress.server_uuid,
      .sink = progress.sink,
      .tables = tables,
      .position = progress.position,
      .last_commit_us = progress.last_commit_us,
      .last_gtid = progress.last_gtid ? ToText(*progress.last_gtid) : std::string(),
      .part = progress.part,
      .read = progress.read,
      .prepared = {progress.prepared.begin(), progress.prepared.end()},
      .held_xa = progress.held_xa,
      .written_at_us = written_at_us};
  std::ranges::sort(checkpoint.tables);
  return checkpoint;
}

Progress MakeProgress(const Checkpoint& checkpoint) {
  return Progress{.server_uuid = checkpoint.server_uuid,
                  .sink = checkpoint.sink,
                  .position = checkpoint.position,
                  .last_commit_us = checkpoint.last_commit_us,
                  .last_gtid = binlog::FindGtid(checkpoint.last_gtid),
                  .part = checkpoint.part,
                  .read = checkpoint.read,
                  .prepared = {checkpoint.prepared.begin(), checkpoint.prepared.end()}};
}

}  // namespace outboxd
