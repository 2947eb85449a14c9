#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "binlog/event_source.h"
#include "binlog/gtid.h"
#include "binlog/position.h"
#include "daemon/checkpoint/checkpoint.h"

namespace outboxd {

// What is delivered for good: the content of the next checkpoint.
struct Progress {
  std::string server_uuid;  // Of the server `position` was read from.
  std::string sink;         // Identity of the cluster the messages went to.
  binlog::Position position;
  // Of the last transaction within `position`: when it was committed; 0: not told.
  std::uint64_t last_commit_us = 0;
  std::optional<binlog::Gtid> last_gtid;  // None: it has none, or those before it are not known.
  // Of a transaction behind `position`, where the sink keeps checkpoints.
  std::optional<TransactionPart> part = {};
  std::optional<InitialRead> read = {};  // Under way, begun at `position`; none: there is none.
  // Names of the XA transactions within `position` that are prepared without event rows. Those with
  // event rows are not within it: their GTIDs are left out, and file and offset wait for them.
  std::set<std::string> prepared = {};
  std::vector<HeldXa> held_xa = {};  // Those with event rows, in the order of the log.
};

// What a source has to know of it when it is opened.
[[nodiscard]] binlog::KnownHistory HistoryOf(const Progress& progress);

// The checkpoint that stands for `progress`.
[[nodiscard]] Checkpoint MakeCheckpoint(const Progress& progress, const std::string& relay,
                                        const std::vector<std::string>& tables,
                                        std::uint64_t written_at_us);
[[nodiscard]] Progress MakeProgress(const Checkpoint& checkpoint);

}  // namespace outboxd
